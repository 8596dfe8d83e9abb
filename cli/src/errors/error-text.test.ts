import { describe, expect, it } from '@jest/globals';
import picocolors from 'picocolors';
import { ApiError, exitCodeOfStatus } from './api-error.ts';
import { CliError } from './cli-error.ts';
import { FAULTS_SHOWN_MAX, errorJson, errorText } from './error-text.ts';

const paint = picocolors.createColors(false);
const refused = { status: 409, request: 'POST /api/v1/runs/x/cancel', server: 'http://127.0.0.1:3000' };

describe('errorText', () => {
  it('says what, where and how to mend it', () => {
    const error = new ApiError(
      { code: 'run.state_conflict', message: 'A run that is SUCCEEDED cannot be cancelled.', details: {}, remedy: 'It has ended.' },
      'r-1',
      refused,
    );

    expect(errorText(error, paint).split('\n')).toEqual([
      'run.state_conflict: A run that is SUCCEEDED cannot be cancelled.',
      '  where:  POST /api/v1/runs/x/cancel at http://127.0.0.1:3000 (request r-1)',
      '  remedy: It has ended.',
    ]);
  });

  it('lists faults with their places, and counts those beyond the bound', () => {
    const fault = {
      code: 'definition.cycle',
      message: 'a needs b',
      path: 'spec.steps.a',
      remedy: 'Break it.',
      file: 'a.yaml',
      line: 7,
      column: 3,
    };
    const faults = Array.from({ length: FAULTS_SHOWN_MAX + 2 }, () => fault);

    const text = errorText(new CliError(6, 'cli.usage', 'First fault (and more)', 'x', { faults }), paint);

    expect(text).toContain('  a.yaml:7:3 definition.cycle spec.steps.a: a needs b\n      remedy: Break it.\n');
    expect(text).toContain('… and 2 more');
  });

  it('bears details of any shape, and lets no escape through', () => {
    const text = errorText(new CliError(1, 'cli.x', 'a\u001b[2Jb', null, { faults: [null, 'x', { message: 1 }], where: 'here' }), paint);

    expect(text.split('\n')).toEqual(['cli.x: a␛[2Jb', '  where:  here']);
  });
});

describe('errorJson', () => {
  it("is the API's shape with the exit code, on one line", () => {
    const body = { code: 'run.unknown', message: 'No.\nNever.', details: { runId: 'x' }, remedy: null };

    expect(JSON.parse(errorJson(new ApiError(body, 'r-1', { ...refused, status: 404 })))).toEqual({
      ...body,
      requestId: 'r-1',
      exitCode: 3,
    });
    expect(errorJson(new Error('two\nlines'))).not.toContain('\n');
    expect(JSON.parse(errorJson(new Error('bug')))).toMatchObject({ code: 'cli.internal', exitCode: 1 });
  });
});

describe('exitCodeOfStatus', () => {
  it.each([
    [400, 6],
    [401, 4],
    [403, 4],
    [404, 3],
    [409, 5],
    [413, 6],
    [415, 6],
    [422, 6],
    [500, 1],
    [502, 7],
    [503, 7],
  ])('%d → %d', (status, code) => expect(exitCodeOfStatus(status)).toBe(code));
});
