import { describe, expect, it } from '@jest/globals';
import { median, percentile, slope } from './statistics.ts';

describe('statistics of figures', () => {
  it('takes percentiles by the nearest rank, whatever the order', () => {
    const values = [5, 1, 4, 2, 3];
    expect([percentile(values, 50), percentile(values, 99), percentile(values, 1), percentile(values, 20)]).toEqual([3, 5, 1, 1]);
  });

  it('takes the lower of two middle values, so that a median was measured', () => {
    expect(median([4, 1, 3, 2])).toBe(2);
  });

  it('says that it has no values', () => {
    expect(median([])).toBeNaN();
  });

  it('tells the slope of a line, and none of a point', () => {
    expect(slope([0, 1, 2, 3], [10, 12, 14, 16])).toBeCloseTo(2);
    expect(slope([1], [5])).toBe(0);
  });
});
