import { describe, expect, it } from '@jest/globals';
import type { RetryPolicy } from '../plan.ts';
import { isRetried, retryDelayMs } from './retry.ts';

const policy: RetryPolicy = {
  attempts: 5,
  backoffMs: 1_000,
  factor: 2,
  maxBackoffMs: 10_000,
  jitter: 0,
  nonRetryable: ['http.status.404'],
};
const broken = { code: 'step.broken', retryable: true };

describe('isRetried', () => {
  it.each([
    ['a first failure', policy, 1, broken, true],
    ['the last try but one', policy, 4, broken, true],
    ['the last try', policy, 5, broken, false],
    ['more tries than allowed, as after a smaller policy', policy, 9, broken, false],
    ['an error that says so', policy, 1, { ...broken, retryable: false }, false],
    ['an error that the policy names', policy, 1, { code: 'http.status.404', retryable: true }, false],
    ['a single try', { ...policy, attempts: 1 }, 1, broken, false],
  ])('decides about %s', (_what, retry, attempt, error, expected) => {
    expect(isRetried(retry, attempt, error)).toBe(expected);
  });
});

describe('retryDelayMs', () => {
  it.each([
    [1, 1_000],
    [2, 2_000],
    [3, 4_000],
    [4, 8_000],
    [5, 10_000],
    [26, 10_000],
  ])('grows by the factor up to the bound: after attempt %d it is %d ms', (attempt, ms) => {
    expect(retryDelayMs(policy, attempt, 0.5)).toBe(ms);
  });

  it.each([
    [0, 800],
    [0.25, 900],
    [0.5, 1_000],
    [0.75, 1_100],
    [0.999_999, 1_200],
  ])('moves by the jitter: the dice %d give %d ms', (dice, ms) => {
    expect(retryDelayMs({ ...policy, jitter: 0.2 }, 1, dice)).toBe(ms);
  });

  it('is never negative, not even with the whole delay as jitter', () => {
    expect(retryDelayMs({ ...policy, jitter: 1 }, 1, 0)).toBe(0);
  });

  it('waits at least as long as the outside world asked for, and no less than the backoff', () => {
    expect(retryDelayMs(policy, 1, 0.5, 30)).toBe(30_000);
    expect(retryDelayMs(policy, 3, 0.5, 1)).toBe(4_000);
  });

  it('stays finite for the largest policy', () => {
    const largest = { ...policy, attempts: 26, factor: 10, backoffMs: 86_400_000, maxBackoffMs: 86_400_000 };
    expect(retryDelayMs(largest, 25, 0.5)).toBe(86_400_000);
  });
});
