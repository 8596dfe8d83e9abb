import type { StepError, TaskMessage } from '#contracts';

/** A JSON value as messages carry it. */
export type Payload = TaskMessage['input'];

/** How a step ended on this worker. `dropped`: it is no longer this worker's, so nothing is reported. */
export type StepEnd =
  | { readonly outcome: 'succeeded'; readonly output: Payload }
  | { readonly outcome: 'failed' | 'timed_out'; readonly error: StepError }
  | { readonly outcome: 'dropped' };

/** Why a running step is told to stop. */
export type StopReason = 'timed_out' | 'silent' | 'dropped';
