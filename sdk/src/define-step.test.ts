import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { defineHandlers, defineStep, handlersOf, nonRetryable, StepFailure, stepErrorOf, testStep } from './index.ts';

const double = defineStep({
  name: 'maths/double',
  input: z.object({ n: z.number(), by: z.number().default(2) }),
  output: z.object({ n: z.number() }),
  run: (ctx, { n, by }) => {
    ctx.log.info('doubling', { n });
    ctx.heartbeat();
    return { n: n * by };
  },
});

describe('defineStep', () => {
  it('hands the handler its checked input with defaults filled in', async () => {
    expect(await testStep(double, { n: 21 })).toEqual({
      output: { n: 42 },
      log: [{ level: 'info', text: 'doubling', data: { n: 21 } }],
      heartbeats: 1,
    });
  });

  it('refuses an input that does not fit, for good, and repeats no value of it', async () => {
    const failure = await double.invoke({} as never, { n: 'hunter2' } as never).catch((error: unknown) => error);

    expect(failure).toMatchObject({ code: 'step.input_invalid', retryable: false });
    expect(String(failure)).toContain('n:');
    expect(String(failure)).not.toContain('hunter2');
  });

  it('refuses an output that does not fit, for good', async () => {
    const broken = defineStep({ name: 'a/b', input: z.null(), output: z.object({ n: z.number() }), run: () => JSON.parse('{"n":"1"}') });

    await expect(testStep(broken, null)).rejects.toMatchObject({ code: 'step.output_invalid', retryable: false });
  });

  it.each(['', 'Upper/case', 'a//b', '../x', 'a/', 'a b'])('refuses the name %p', (name) => {
    expect(() => defineStep({ name, input: z.null(), run: () => null })).toThrow(TypeError);
  });

  it('finds the handlers of a module once each, in its default export and beside it', () => {
    const other = defineStep({ name: 'maths/other', input: z.null(), run: () => null });

    expect(handlersOf({ default: defineHandlers([double, other]), double, helper: () => 1, limit: 3, nothing: null })).toEqual([
      double,
      other,
    ]);
    expect(handlersOf({ default: other })).toEqual([other]);
  });

  it('refuses two handlers of one name in a module', () => {
    expect(() => defineHandlers([double, double])).toThrow('Two handlers are named maths/double');
  });
});

describe('stepErrorOf', () => {
  it.each([
    ['a plain error', new RangeError('too far'), { code: 'step.threw', message: 'RangeError: too far', retryable: true }],
    [
      'a named failure',
      new StepFailure('crm.busy', 'later', { retryAfterSeconds: 3 }),
      { code: 'crm.busy', message: 'later', retryable: true, retryAfterSeconds: 3 },
    ],
    ['a final failure', nonRetryable('crm.gone', 'never'), { code: 'crm.gone', message: 'never', retryable: false }],
    ['a thrown string', 'secret', { code: 'step.threw', message: 'The handler threw string.', retryable: true }],
    [
      'a wait beyond a day',
      new StepFailure('a.b', '', { retryAfterSeconds: 1e9 }),
      { code: 'a.b', message: '', retryable: true, retryAfterSeconds: 86_400 },
    ],
    ['a wait that is none', new StepFailure('a.b', '', { retryAfterSeconds: Number.NaN }), { code: 'a.b', message: '', retryable: true }],
    [
      'a failure of another copy of this package',
      Object.assign(new Error('x'), { name: 'StepFailure', code: 'a.b', retryable: false }),
      { code: 'a.b', message: 'x', retryable: false },
    ],
  ])('reports %s', (_, thrown, reported) => {
    expect(stepErrorOf(thrown)).toEqual(reported);
  });

  it('cuts the text to the bound of a report and cleans what PostgreSQL refuses', () => {
    const { message } = stepErrorOf(new StepFailure('a.b', `\0\uD800${'x'.repeat(5_000)}`));

    expect(message).toHaveLength(4_000);
    expect(message.startsWith('\uFFFD\uFFFDx')).toBe(true);
    expect(message.endsWith('…')).toBe(true);
  });
});
