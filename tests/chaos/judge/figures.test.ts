import { describe, expect, it } from '@jest/globals';
import { describeFigures, figuresOf } from './figures.ts';

describe('figures of a recovery', () => {
  it('are by the nearest rank, in any order of the measures', () => {
    const measures = Array.from({ length: 200 }, (_, at) => ((at * 7) % 200) + 1);
    expect(figuresOf(measures)).toEqual({ count: 200, p50: 100, p99: 198, max: 200 });
    expect(figuresOf([1_234])).toEqual({ count: 1, p50: 1_234, p99: 1_234, max: 1_234 });
  });

  it('say so when there is nothing to measure', () => {
    expect(describeFigures(figuresOf([]))).toBe('not measured');
    expect(describeFigures(figuresOf([500, 12_000]))).toBe('p50 0.50 s, p99 12.0 s, longest 12.0 s (2)');
  });
});
