import { describe, expect, it } from '@jest/globals';
import { DomainError } from '#core';
import { EXIT } from '../exit-codes.ts';
import { paintFor } from '../terminal/paint.ts';
import { ApiError, exitCodeOfStatus } from './api-error.ts';
import { CliError } from './cli-error.ts';
import { FAULTS_SHOWN_MAX, errorJson, errorText } from './error-text.ts';
import { exitCodeOf } from './exit-code-of.ts';

const paint = paintFor({ isTTY: false }, {});
const refused = (status: number, details = {}) =>
  new ApiError({ code: 'a.b', message: 'No.', details, remedy: 'Do it.' }, 'r-1', { status, request: 'GET /x', server: 'http://s' });

describe('exit codes', () => {
  it.each([
    [400, EXIT.invalid],
    [401, EXIT.auth],
    [403, EXIT.auth],
    [404, EXIT.notFound],
    [409, EXIT.conflict],
    [413, EXIT.invalid],
    [415, EXIT.invalid],
    [422, EXIT.invalid],
    [500, EXIT.failed],
    [502, EXIT.unreachable],
    [503, EXIT.unreachable],
    [504, EXIT.unreachable],
  ])('answer a status of %d with %d', (status, code) => {
    expect([exitCodeOfStatus(status), exitCodeOf(refused(status))]).toEqual([code, code]);
  });

  it.each([
    [new CliError(EXIT.usage, 'cli.usage', 'x'), EXIT.usage],
    [new DomainError('x.y', 'x'), EXIT.failed],
    [new Error('bug'), EXIT.failed],
    ['thrown', EXIT.failed],
  ])('answer %s with %d', (error, code) => {
    expect(exitCodeOf(error)).toBe(code);
  });
});

describe('the text of an error', () => {
  it('says what, where and the remedy', () => {
    expect(errorText(refused(409), paint)).toBe('a.b: No.\n  where:  GET /x at http://s (request r-1)\n  remedy: Do it.');
  });

  it('tells faults one by one, the rest by their number', () => {
    const faults = Array.from({ length: FAULTS_SHOWN_MAX + 2 }, (_, at) => ({
      code: 'f.x',
      message: `m${at}`,
      path: 'p',
      file: 'w.yaml',
      line: at,
    }));

    const lines = errorText(refused(422, { faults }), paint).split('\n');

    expect(lines).toContain('  w.yaml:3 f.x p: m3');
    expect(lines).toContain('  … and 2 more');
  });

  it('survives details of any shape, and escapes of a server', () => {
    expect(errorText(refused(422, { faults: [null, 1, { message: 'a\u001b[2J' }, {}] }), paint)).not.toContain('\u001b');
  });

  it('is one line of JSON for programs', () => {
    expect(JSON.parse(errorJson(refused(404, { a: 1 })))).toEqual({
      code: 'a.b',
      message: 'No.',
      details: { a: 1 },
      remedy: 'Do it.',
      requestId: 'r-1',
      exitCode: 3,
    });
    expect(JSON.parse(errorJson(new Error('bug')))).toMatchObject({ code: 'cli.internal', exitCode: 1 });
  });
});
