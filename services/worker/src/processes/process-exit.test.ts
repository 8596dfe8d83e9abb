import { describe, expect, it } from '@jest/globals';
import { deathOf } from './process-exit.ts';

describe('the death of a step process', () => {
  it.each([
    [{ code: 3, signal: null, lastWords: '' }, /ended with exit code 3\.$/],
    [{ code: null, signal: 'SIGKILL' as const, lastWords: '' }, /SIGKILL \(exit code 137\): out of memory, most likely/],
    [
      { code: null, signal: 'SIGABRT' as const, lastWords: 'FATAL ERROR: Reached heap limit … JavaScript heap out of memory' },
      /exit code 134\): out of memory \(the heap/,
    ],
    [
      { code: 1, signal: null, lastWords: '/x/steps.js:3\n  throw new Error("no")\n\nTypeError: no\n    at x' },
      /exit code 1: TypeError: no$/,
    ],
  ])('is told: %p', (exit, message) => {
    expect(deathOf(exit)).toMatchObject({ code: 'step.worker_process_died', retryable: true, message: expect.stringMatching(message) });
  });
});
