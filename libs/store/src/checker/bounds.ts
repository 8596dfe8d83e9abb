import { LOG_LINE_BYTES_MAX, LOG_STEP_BYTES_MAX } from '#contracts';

/** What the checker holds the database against. Times are seconds. */
export interface CheckBounds {
  readonly leaseSeconds: number;
  readonly sweepSeconds: number;
  /** What a recovery may add to leases and sweeps: reconnecting, and the time of a batch. */
  readonly backoffSeconds: number;
  /** JSON of one step's output. */
  readonly outputBytesMax: number;
  readonly logLineBytesMax: number;
  readonly logStepBytesMax: number;
  /** What a line that says "cut here" may add. */
  readonly logMarkerBytesMax: number;
  readonly stepsMax: number;
  readonly attemptsMax: number;
  /** Losses that a step may count: the last of them fails it. */
  readonly workerLossesMax: number;
}

export const CHECK_BOUNDS: CheckBounds = {
  leaseSeconds: 10,
  sweepSeconds: 2,
  backoffSeconds: 5,
  outputBytesMax: 1024 * 1024,
  logLineBytesMax: LOG_LINE_BYTES_MAX,
  logStepBytesMax: LOG_STEP_BYTES_MAX,
  logMarkerBytesMax: 512,
  stepsMax: 10_000,
  attemptsMax: 26,
  workerLossesMax: 3 + 1,
};

/** Longest time that anything may stand still before the recovery has dealt with it (I5). */
export function overdueSeconds({ leaseSeconds, sweepSeconds, backoffSeconds }: CheckBounds): number {
  return 2 * leaseSeconds + sweepSeconds + backoffSeconds;
}
