import { describe, expect, it } from '@jest/globals';
import { DURATION_MS_MAX, parseDuration } from './duration.ts';

describe('parseDuration', () => {
  it.each([
    ['250ms', 250],
    ['0s', 0],
    ['30s', 30_000],
    ['1.5m', 90_000],
    ['0.001s', 1],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['366d', DURATION_MS_MAX],
    ['999999999ms', 999_999_999],
  ])('reads %s as %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each([
    '',
    's',
    '5',
    '5 s',
    ' 5s',
    '5s ',
    '-5s',
    '+5s',
    '5S',
    '5w',
    '1h30m',
    '1e3s',
    '.5s',
    '5.s',
    '1.2345s',
    '٣s',
    'NaNs',
    'Infinitys',
    '1000000000ms',
  ])('takes "%s" for no duration', (text) => {
    expect(parseDuration(text)).toBeNull();
  });

  it('refuses what is longer than 366 days', () => {
    expect(parseDuration('366.001d')).toBeNull();
    expect(parseDuration('999999999d')).toBeNull();
  });
});
