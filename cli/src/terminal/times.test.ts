import { describe, expect, it } from '@jest/globals';
import { absolute, age, ageAndTime, clock, formatDuration, tookMs } from './times.ts';

const now = Date.parse('2026-11-21T12:00:00.000Z');

describe('times', () => {
  it.each([
    [-5, '0ms'],
    [850, '850ms'],
    [999.6, '1000ms'],
    [1_000, '1.0s'],
    [59_990, '59.9s'],
    [60_000, '1m00s'],
    [245_000, '4m05s'],
    [7_380_000, '2h03m'],
    [273_600_000, '3d04h'],
  ])('formats %d ms as %s', (ms, text) => expect(formatDuration(ms)).toBe(text));

  it.each([
    ['2026-11-21T12:00:03.000Z', 'now'],
    ['2026-11-21T11:59:48.000Z', '12s'],
    ['2026-11-21T11:55:00.000Z', '5m'],
    ['2026-11-21T09:00:00.000Z', '3h'],
    ['2026-11-19T11:00:00.000Z', '2d'],
    [null, null],
  ])('tells the age of %s as %s', (iso, text) => expect(age(iso, now)).toBe(text));

  it('tells absolute times in UTC, whatever the offset', () => {
    expect(absolute('2026-11-21T13:55:00.123+02:00')).toBe('2026-11-21T11:55:00Z');
    expect(ageAndTime('2026-11-21T11:55:00Z', now)).toBe('2026-11-21T11:55:00Z (5m ago)');
    expect(clock('2026-11-21T11:55:00.123Z')).toBe('11:55:00.123');
  });

  it('measures up to now while there is no end, and never less than nothing', () => {
    expect(tookMs('2026-11-21T11:59:00Z', null, now)).toBe(60_000);
    expect(tookMs('2026-11-21T12:01:00Z', null, now)).toBe(0);
    expect(tookMs(null, null, now)).toBeNull();
  });
});
