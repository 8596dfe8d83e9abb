import type { RetryPolicy } from '../plan.ts';
import type { StepErrorView } from './run-view.ts';

/** Whether a step that failed on its `attempt`-th try (1-based) is tried again. */
export function isRetried(policy: RetryPolicy, attempt: number, error: Pick<StepErrorView, 'code' | 'retryable'>): boolean {
  return error.retryable && attempt < policy.attempts && !policy.nonRetryable.includes(error.code);
}

/**
 * Milliseconds to wait before the next attempt: min(maxBackoff, backoff × factor^(attempt − 1)), moved by up to ± jitter of itself.
 * `dice` in [0, 1) decides by how much. What the outside world asked for (Retry-After) is a lower bound.
 */
export function retryDelayMs(policy: RetryPolicy, attempt: number, dice: number, retryAfterSeconds = 0): number {
  const grown = Math.min(policy.maxBackoffMs, policy.backoffMs * policy.factor ** (attempt - 1));
  const moved = grown * (1 + policy.jitter * (2 * dice - 1));
  return Math.round(Math.max(moved, retryAfterSeconds * 1000));
}
