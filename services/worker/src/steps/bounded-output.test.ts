import { describe, expect, it } from '@jest/globals';
import { INLINE_PAYLOAD_BYTES_MAX } from '#contracts';
import { boundedOutput } from './bounded-output.ts';

describe('the output of a step', () => {
  it.each([
    [undefined, null],
    [null, null],
    [{ a: undefined, b: new Date(0) }, { b: '1970-01-01T00:00:00.000Z' }],
    ['a\\u0000 written out', 'a\\u0000 written out'],
    ['a\\', 'a\\'],
    ['\u{1F600}', '\u{1F600}'],
    [() => 1, null],
  ])('%p is reported as %p', (returned, output) => {
    expect(boundedOutput(returned)).toEqual(output);
  });

  const circular: Record<string, unknown> = {};
  circular['self'] = circular;
  it.each([
    ['a NUL', 'a\0b'],
    ['a NUL behind a backslash', 'a\\\0'],
    ['a NUL in a key', { 'a\0': 1 }],
    ['half of a surrogate pair', '\uD83D'],
    ['the other half', ['\uDE00']],
    ['a circle', circular],
    ['a big integer', 1n],
  ])('is refused for good when it holds %s', (_, returned) => {
    expect(() => boundedOutput(returned)).toThrow(expect.objectContaining({ code: 'step.output_invalid', retryable: false }));
  });

  it('is refused for good one level too deep', () => {
    const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));
    expect(boundedOutput(nested(256))).toEqual(nested(256));
    expect(() => boundedOutput(nested(257))).toThrow(expect.objectContaining({ code: 'step.output_too_deep', retryable: false }));
  });

  it('is refused for good one byte above the bound, counted as UTF-8', () => {
    expect(boundedOutput('ä'.repeat(INLINE_PAYLOAD_BYTES_MAX / 2 - 1))).toHaveLength(INLINE_PAYLOAD_BYTES_MAX / 2 - 1);
    expect(() => boundedOutput(`${'ä'.repeat(INLINE_PAYLOAD_BYTES_MAX / 2 - 1)}x`)).toThrow(
      expect.objectContaining({ code: 'step.output_too_large', retryable: false }),
    );
  });
});
