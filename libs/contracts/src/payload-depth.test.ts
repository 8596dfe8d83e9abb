import { describe, expect, it } from '@jest/globals';
import { isDeeperThan } from './payload-depth.ts';

const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));

describe('isDeeperThan', () => {
  it.each([
    ['an empty list', [], 1],
    ['three lists', nested(3), 3],
    ['a list in an object', { a: [1], b: null, c: 'deep' }, 2],
    ['100,000 lists', nested(100_000), 100_000],
  ])('counts the levels of %s', (_what, value, levels) => {
    expect(isDeeperThan(levels, value)).toBe(false);
    expect(isDeeperThan(levels - 1, value)).toBe(true);
  });

  it.each(['a text', 1, null])('finds no level in %j', (value) => {
    expect(isDeeperThan(0, value)).toBe(false);
  });
});
