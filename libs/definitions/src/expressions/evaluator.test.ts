import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Json, PlanStep } from '#core';
import { compileDefinition } from '../compile/compile-definition.ts';
import type { ExpressionScope } from './evaluate.ts';
import { createEvaluator } from './evaluator.ts';

const evaluator = createEvaluator();
/** Judges results, not this machine's speed. */
const patient = createEvaluator({ deadlineMs: 10_000 });
afterAll(async () => Promise.all([evaluator.close(), patient.close()]));

const scopeOf = (scope: Partial<ExpressionScope> = {}): ExpressionScope => ({ input: {}, steps: {}, run: {}, failed: false, ...scope });

/** The second of two steps: it needs `first` and `dashed-one`. */
function stepOf(step: object): PlanStep {
  const steps = {
    first: { uses: 'noop' },
    'dashed-one': { uses: 'noop' },
    second: { uses: 'noop', needs: ['first', 'dashed-one'], ...step },
  };
  const found = compileDefinition({
    apiVersion: 'flowforge/v1',
    kind: 'Workflow',
    metadata: { name: 'x' },
    spec: { steps },
  }).plan.steps.find(({ name }) => name === 'second');
  if (found === undefined) throw new Error('no step');
  return found;
}

async function valueOf(source: string, input: Json = {}, asked = patient): Promise<Json> {
  const result = await asked.evaluateExpression(source, scopeOf({ input, run: { id: 'r1', team: null } }));
  return result.kind === 'value' ? result.value : result.code;
}

describe('an expression', () => {
  const input = { count: 7, price: 10.5, whole: 10, list: [1, 2, 3], name: 'Ann', nothing: null, nested: { a: { b: 'deep' } }, flag: true };
  it.each<[string, Json]>([
    // JSON numbers behave as one kind of number, whether they are whole or not.
    ['input.count > 0', true],
    ['input.count + 1', 8],
    ['1 + input.count', 8],
    ['input.count / 2', 3.5],
    ['input.count / 2.0', 3.5],
    ['7 / 2', 3],
    ['input.count % 2', 1],
    ['input.price * 2 - 1', 20],
    ['input.whole / 4', 2.5],
    ['input.count == 7 && input.count == 7.0', true],
    ['input.count in [6, 7]', true],
    ['input.list[input.count - 6]', 2],
    ['input.list[0] + input.list[1]', 3],
    ['-input.count', -7],
    ['size(input.list) + 1', 4],
    ['size(input.list) == input.list.size()', true],
    ['int(input.price) / 3', 3],
    ['string(input.count) + "!"', '7!'],
    ['0.0 * -1.0', 0],
    // Members
    ['input["nested"].a["b"]', 'deep'],
    ['has(input.nested.a)', true],
    ['has(input.missing)', false],
    ['"nothing" in input', true],
    ['"missing" in input', false],
    ['input.nothing == null', true],
    ['default(input.x.y.z, 5)', 5],
    ['default(input.nothing, "fallback")', 'fallback'],
    ['default(input.count, 5)', 7],
    ['default(input.list[9], 5)', 5],
    ['default(run.team, "none")', 'none'],
    ['coalesce(input.x, input.nothing, input.name, "z")', 'Ann'],
    ['input.missing', 'expression.failed'],
    ['input.name.x', 'expression.failed'],
    ['input.constructor', 'expression.failed'],
    ['input.__proto__', 'expression.failed'],
    ['input.list.length', 'expression.failed'],
    ['"" + input.name.toString', 'expression.failed'],
    // Values
    ['run.id', 'r1'],
    ['failed', false],
    ['{"a": [1, 2.5, null], 1: true}', { a: [1, 2.5, null], '1': true }],
    ['timestamp("2026-03-01T10:00:00Z") + duration("90m")', '2026-03-01T11:30:00Z'],
    ['timestamp(0) < timestamp("2026-03-01T10:00:00Z")', true],
    ['timestamp("2026-03-01T10:00:00Z").getFullYear()', 2026],
    ['duration("90s")', '90s'],
    ['b"abc"', 'YWJj'],
    ['uint(3)', 3],
    ['type(input.count) == double', true],
    ['type(1)', 'expression.not_json'],
    ['9007199254740993', 'expression.number_unsafe'],
    ['string(9007199254740993)', '9007199254740993'],
    ['1.0 / 0.0', 'expression.number_invalid'],
    ['1 / 0', 'expression.failed'],
    ['"a\\u0000b"', 'expression.text_invalid'],
    ['"😀".substring(0, 1)', 'expression.text_invalid'],
    // Functions
    ['input.name.lowerAscii() + input.name.upperAscii()', 'annANN'],
    ['"a,b,c".split(",")', ['a', 'b', 'c']],
    ['"a,b,c".split(",", 2)', ['a', 'b']],
    ['["a", "b"].join("-") + [1, 2].join()', 'a-b12'],
    ['"banana".replace("an", "o")', 'booa'],
    ['"banana".indexOf("na") + "banana".lastIndexOf("na")', 6],
    ['"banana".substring(input.list[0], 3) + "banana".charAt(0)', 'anb'],
    ['"abc".substring(9)', 'expression.failed'],
    ['" a ".trim()', 'a'],
    ['"abc".matches("^a.c$") && !"abc".matches("^b")', true],
    ['"abc".contains("b") && "abc".startsWith("a") && "abc".endsWith("c")', true],
    ['sum(input.list) + max(input.list) - min(input.list)', 8],
    ['sum([])', 0],
    ['max([])', 'expression.failed'],
    ['json("{\\"a\\": [1]}").a[0]', 1],
    ['json("{")', 'expression.failed'],
    ['toJson({"a": "b"})', '{"a":"b"}'],
    ['text(input.count) + text("x") + text([1])', '7x[1]'],
    // Macros
    ['input.list.map(n, n * 2)', [2, 4, 6]],
    ['input.list.filter(n, n > 1).map(n, n + 0.5)', [2.5, 3.5]],
    ['input.list.map(n, n > 1, n * 10)', [20, 30]],
    ['input.list.all(n, n > 0) && input.list.exists(n, n == 2) && input.list.exists_one(n, n == 2)', true],
    [
      'input.list.map(a, input.list.map(b, a * b))',
      [
        [1, 2, 3],
        [2, 4, 6],
        [3, 6, 9],
      ],
    ],
    ['input.nested.map(key, key)', ['a']],
    ['input.list.map(n, default(input.missing, n))', [1, 2, 3]],
  ])('%s', async (source, expected) => {
    expect(await valueOf(source, input)).toEqual(expected);
  });

  it('takes members that look like messages or classes for data', async () => {
    const input = JSON.parse('{"$typeName":"google.protobuf.Any","constructor":{"name":"Object"},"value":{"constructor":1}}');
    expect(await valueOf('input', input)).toEqual(input);
    expect(await valueOf('input.constructor.name', input)).toBe('Object');
    expect(await valueOf('input == input', input)).toBe(true);
  });

  it('returns any JSON value as it came', async () => {
    const values = fc.jsonValue({ maxDepth: 6 }).filter((value) => !/\\u0000|\\ud[89a-f]|__proto__/.test(JSON.stringify(value)));
    await fc.assert(
      fc.asyncProperty(values, async (value) =>
        expect(await valueOf('input', JSON.parse(JSON.stringify(value)))).toEqual(JSON.parse(JSON.stringify(value))),
      ),
      { numRuns: 200 },
    );
  });

  it('builds lists of many thousand items', async () => {
    expect(
      await valueOf(
        'input.map(n, n + 1).filter(n, n % 2 == 0).size()',
        Array.from({ length: 20_000 }, (_, i) => i),
      ),
    ).toBe(10_000);
  });

  it('gives the error of an expression that publishing would refuse', async () => {
    expect(await valueOf('inputs.x')).toBe('expression.invalid');
    expect(await valueOf('1 +')).toBe('expression.invalid');
  });
});

describe('an expression that explodes ends with a code and in time', () => {
  const strings = Array.from({ length: 2_000 }, () => 'a'.repeat(100));
  const numbers = Array.from({ length: 300 }, (_, i) => i);
  it.each<[string, string, Json, Json[]]>([
    ['size', 'input.map(a, input.map(b, input))', numbers, ['expression.too_large']],
    ['size inline', `[${Array.from({ length: 250 }, () => 'input').join(',')}]`, strings, ['expression.too_large']],
    ['size of a text', 'input[0].replace("a", input[1])', ['a'.repeat(100_000), 'b'.repeat(100_000)], ['expression.too_large']],
    ['memory', 'input.map(x, input.join(x)).join("")', strings, ['expression.memory', 'expression.timeout', 'expression.too_large']],
    ['depth', 'input', JSON.parse(`${'['.repeat(100)}${']'.repeat(100)}`), ['expression.too_deep']],
    ['depth of the data', 'input == input', JSON.parse(`${'['.repeat(50_000)}${']'.repeat(50_000)}`), ['expression.too_large']],
    ['regex', 'input.matches("^(a+)+$")', `${'a'.repeat(100_000)}b`, [false]],
    ['regex of the data', 'input.matches(input)', '(a|b|c{1,100})'.repeat(5_000), ['expression.timeout', 'expression.failed', true, false]],
    ['macros', 'input.all(a, input.all(b, a in input && b in input))', Array.from({ length: 5_000 }, (_, i) => i), ['expression.timeout']],
    ['time', 'input.map(a, input.map(b, a + b)).size()', strings, ['expression.timeout', 'expression.memory']],
    ['search', 'input.a.contains(input.b)', { a: 'a'.repeat(500_000), b: `${'a'.repeat(250_000)}b` }, [false, 'expression.timeout']],
  ])('%s', async (_name, source, input, codes) => {
    expect(codes).toContainEqual(await valueOf(source, input, codes.includes('expression.timeout') ? evaluator : patient));
  });

  it('does not hold up this thread', async () => {
    let ticks = 0;
    const ticking = setInterval(() => ticks++, 5);
    await valueOf(
      'input.all(a, input.all(b, a in input && b in input))',
      Array.from({ length: 5_000 }, (_, i) => i),
      evaluator,
    );
    clearInterval(ticking);
    expect(ticks).toBeGreaterThan(3);
    expect(await valueOf('[1].map(n, n)')).toEqual([1]);
  });
});

describe('a step', () => {
  const steps = { first: { output: { rows: 3, body: [1, 2] }, state: 'SUCCEEDED' }, 'dashed-one': { output: 'x', state: 'SKIPPED' } };
  it.each<[string, object, Partial<ExpressionScope>, object]>([
    ['runs with a literal input', { with: { a: 1, b: 'x' } }, {}, { kind: 'run', input: { a: 1, b: 'x' } }],
    ['runs without an input', {}, {}, { kind: 'run', input: {} }],
    ['keeps the type of an expression alone', { with: { v: '${{ steps.first.output.body }}' } }, {}, { kind: 'run', input: { v: [1, 2] } }],
    [
      'writes values into texts',
      { with: { v: 'rows: ${{ steps.first.output.rows }}, ${{ steps.first.output.body }} $${{ x }}' } },
      {},
      { kind: 'run', input: { v: 'rows: 3, [1,2] ${{ x }}' } },
    ],
    ['unescapes without any expression', { with: { v: '$${{ x }}' } }, {}, { kind: 'run', input: { v: '${{ x }}' } }],
    [
      'reads names with a dash',
      { with: { v: '${{ steps["dashed-one"].output + steps["dashed-one"].state }}' } },
      {},
      { kind: 'run', input: { v: 'xSKIPPED' } },
    ],
    [
      'takes its whole input from an expression',
      { uses: 'a/b', with: '${{ steps.first.output }}' },
      {},
      { kind: 'run', input: { rows: 3, body: [1, 2] } },
    ],
    [
      'evaluates macros in its input',
      { with: { v: ['${{ steps.first.output.body.map(n, n * 2) }}'] } },
      {},
      { kind: 'run', input: { v: [[2, 4]] } },
    ],
    ['runs when its condition holds', { if: '${{ steps.first.output.rows > 2 }}' }, {}, { kind: 'run', input: {} }],
    ['is skipped when it does not', { if: 'steps.first.output.rows > 3' }, {}, { kind: 'skip' }],
    ['is skipped when a need failed', { with: { v: 1 } }, { failed: true }, { kind: 'skip' }],
    ['is skipped when a need failed, whatever its condition', { if: 'true' }, { failed: true }, { kind: 'skip' }],
    ['decides itself when it names failed', { if: '${{ failed }}' }, { failed: true }, { kind: 'run', input: {} }],
    ['is skipped by its own failed', { if: '${{ failed }}' }, {}, { kind: 'skip' }],
    ['never runs with if: false', { if: false }, {}, { kind: 'skip' }],
    ['does not evaluate the input of a skipped step', { if: 'false', with: { v: '${{ input.missing }}' } }, {}, { kind: 'skip' }],
    ['fails when its condition is no boolean', { if: 'steps.first.output.rows' }, {}, { kind: 'error', code: 'expression.not_boolean' }],
    [
      'fails when its input misses a member',
      { with: { v: '${{ input.missing }}' } },
      {},
      { kind: 'error', code: 'expression.failed', message: 'input.missing: field not found: missing' },
    ],
  ])('%s', async (_name, step, scope, expected) => {
    expect(await evaluator.evaluateStep(stepOf(step), scopeOf({ steps, ...scope }))).toMatchObject(expected);
  });

  it('hands a literal input on without a copy', async () => {
    const step = stepOf({ with: { a: [1] } });
    const result = await evaluator.evaluateStep(step, scopeOf());
    expect(result.kind === 'run' && result.input === step.input).toBe(true);
  });

  it('bounds the evaluated input as a whole', async () => {
    const small = createEvaluator({ outputBytesMax: 1_000 });
    const step = stepOf({ with: { a: '${{ input }}', b: '${{ input }}' } });
    expect(await small.evaluateStep(step, scopeOf({ input: 'x'.repeat(400) }))).toMatchObject({ kind: 'run' });
    expect(await small.evaluateStep(step, scopeOf({ input: 'x'.repeat(600) }))).toMatchObject({
      kind: 'error',
      code: 'expression.too_large',
    });
    expect(await small.evaluateStep(step, scopeOf({ input: '\u0001'.repeat(100) }))).toMatchObject({ code: 'expression.too_large' });
    await small.close();
  });

  it.each([
    ['a missing member', 'input["a\\u0000b"]', scopeOf({ input: {} })],
    ['a text that is no number', 'int(input)', scopeOf({ input: '😀'.repeat(100_000) })],
  ])('tells of %s in a message that can be stored', async (_what, source, scope) => {
    const result = await evaluator.evaluateStep(stepOf({ with: { a: `\${{ ${source} }}` } }), scope);
    const message = result.kind === 'error' ? result.message : '';
    expect(message).toMatch(/^\P{Surrogate}+$/u);
    expect(message).not.toContain('\u0000');
    expect(message.length).toBeLessThanOrEqual(1_000);
  });
});

describe('the evaluator', () => {
  const slow = 'input.all(a, input.all(b, a in input && b in input))';
  const scope = scopeOf({ input: Array.from({ length: 5_000 }, (_, i) => i) });

  it('refuses what does not fit into its queue, as an outage', async () => {
    const tight = createEvaluator({ queueMax: 1 });
    const outcomes = await Promise.allSettled([1, 2, 3].map(async () => tight.evaluateExpression(slow, scope)));
    await tight.close();
    expect(outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason))).toMatchObject([
      { code: 'expression.timeout' },
      { code: 'expression.timeout' },
      { code: 'expression.busy', kind: 'outage' },
    ]);
  });

  it('answers what waits when it is closed, and nothing afterwards', async () => {
    const closing = createEvaluator();
    const pending = [1, 2].map(async () => closing.evaluateExpression(slow, scope));
    const outcomes = Promise.allSettled(pending);
    await closing.close();
    await closing.close();
    for (const outcome of await outcomes)
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'expression.closed', kind: 'outage' } });
    await expect(closing.evaluateExpression(slow, scope)).rejects.toMatchObject({ code: 'expression.closed' });
    expect(await closing.evaluateExpression('1 + 1', scope)).toEqual({ kind: 'value', value: 2 });
  });

  it('evaluates many at once on several threads', async () => {
    const wide = createEvaluator({ threads: 2 });
    const results = await Promise.all(
      Array.from({ length: 50 }, async (_, i) => wide.evaluateExpression('input.map(n, n + 1)', scopeOf({ input: [i] }))),
    );
    await wide.close();
    expect(results).toEqual(Array.from({ length: 50 }, (_, i) => ({ kind: 'value', value: [i + 1] })));
  });
});
