import { describe, expect, it } from '@jest/globals';
import { REPORTS_TOGETHER_MAX } from '#contracts';
import { STREAM_LIMITS } from '#transport';
import { packed } from './report-packs.ts';

const numbers = (count: number) => Array.from({ length: count }, (_, at) => String(at));
const sizesOf = (bodies: readonly string[]) => bodies.map((body) => [JSON.parse(body)].flat().length);
const text = (characters: number) => JSON.stringify('€'.repeat(characters - 2));

describe('packed', () => {
  it('sends a report alone as it is', () => {
    expect(packed(['{"v":1}'])).toEqual(['{"v":1}']);
  });

  it('sends nothing where there is none', () => {
    expect(packed([])).toEqual([]);
  });

  it('keeps the order', () => {
    const bodies = packed(numbers(100));

    expect(bodies.flatMap((body) => JSON.parse(body))).toEqual(numbers(100).map(Number));
  });

  it(`puts at most ${REPORTS_TOGETHER_MAX} together`, () => {
    expect(sizesOf(packed(numbers(2 * REPORTS_TOGETHER_MAX + 1)))).toEqual([REPORTS_TOGETHER_MAX, REPORTS_TOGETHER_MAX, 1]);
  });

  it('lets a large one travel alone, and those around it together', () => {
    const large = text(64 * 1024);

    expect(packed(['1', '2', large, '3', '4'])).toEqual(['[1,2]', large, '[3,4]']);
  });

  it('stays within what the streams take, whatever the characters', () => {
    const bodies = packed(Array.from({ length: 20 }, () => text(10_000)));

    expect(sizesOf(bodies)).toEqual([6, 6, 6, 2]);
    for (const body of bodies) expect(Buffer.byteLength(body)).toBeLessThan(STREAM_LIMITS.bodyBytesMax / 4);
  });
});
