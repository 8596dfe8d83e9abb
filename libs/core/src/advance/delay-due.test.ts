import { describe, expect, it } from '@jest/globals';
import type { Json } from '../json.ts';
import { delayDue } from './decide-ready.ts';

describe('delayDue', () => {
  it.each<[Json, object]>([
    [{ duration: '90s' }, { inMs: 90_000 }],
    [{ duration: '0s' }, { inMs: 0 }],
    [{ duration: '1s', until: 'never' }, { inMs: 1_000 }],
    [{ until: '2030-01-01T00:00:00Z' }, { atMs: Date.UTC(2030, 0, 1) }],
    [{ until: '2030-01-01T02:00:00+02:00' }, { atMs: Date.UTC(2030, 0, 1) }],
    [{ until: '1999-12-31T23:59:59.5Z' }, { atMs: Date.UTC(1999, 11, 31, 23, 59, 59, 500) }],
  ])('reads %j', (input, due) => {
    expect(delayDue(input)).toEqual(due);
  });

  it.each<Json>([
    null,
    5,
    '90s',
    [],
    ['90s'],
    {},
    { duration: 90 },
    { duration: '90' },
    { duration: '367d' },
    { until: 'tomorrow' },
    { until: 0 },
    { until: null },
  ])('finds nothing usable in %j', (input) => {
    expect(delayDue(input)).toBeNull();
  });

  it('says nothing that the database cannot hold as a moment', () => {
    expect(delayDue({ until: '-200000-01-01T00:00:00Z' })).toEqual({ atMs: 0 });
    expect(delayDue({ until: '+275760-09-13T00:00:00Z' })).toBeNull();
  });
});
