import { describe, expect, it } from '@jest/globals';
import { differenceOf } from './rolled-back.ts';

describe('what a database has lost by going back', () => {
  it('tells runs that are gone from runs that are where they were before', () => {
    const before = new Map([
      ['kept', 6],
      ['gone', 3],
      ['earlier', 9],
    ]);
    const now = new Map([
      ['kept', 6],
      ['earlier', 4],
    ]);
    expect(differenceOf(before, now)).toEqual({ lost: ['gone'], setBack: ['earlier'] });
  });

  it('tells of nothing where nothing is missing', () => {
    const same = new Map([['kept', 6]]);
    expect(differenceOf(same, same)).toEqual({ lost: [], setBack: [] });
  });
});
