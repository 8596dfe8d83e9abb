import { describe, expect, it } from '@jest/globals';
import { scannedBetween } from './plans.ts';

const counts = (scans: number, vacuums: number) => new Map([['step_runs', { scans, vacuums }]]);

describe('tables that were walked between two counts', () => {
  it('are told with the number of walks', () =>
    expect(scannedBetween(counts(2, 1), counts(5, 1))).toEqual(['step_runs was scanned 3 times']));
  it('are told when they are new', () => expect(scannedBetween(new Map(), counts(1, 0))).toHaveLength(1));
  it('are not those that nobody walked, or that a vacuum looked through', () => {
    expect(scannedBetween(counts(2, 1), counts(2, 1))).toEqual([]);
    expect(scannedBetween(counts(2, 1), counts(9, 2))).toEqual([]);
  });
});
