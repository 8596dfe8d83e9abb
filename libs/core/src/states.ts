/** The states of a run, in the order of a life. */
export const RUN_STATES = [
  'CREATED',
  'QUEUED',
  'RUNNING',
  'WAITING',
  'CANCELLING',
  'SUCCEEDED',
  'FAILED',
  'CANCELLED',
  'TIMED_OUT',
] as const;
export type RunState = (typeof RUN_STATES)[number];

/** The states of a step. A step without a row is PENDING: it gets its row with its first move. */
export const STEP_STATES = [
  'PENDING',
  'DISPATCHED',
  'RUNNING',
  'RETRYING',
  'WAITING',
  'SUCCEEDED',
  'FAILED',
  'TIMED_OUT',
  'CANCELLED',
  'SKIPPED',
] as const;
export type StepState = (typeof STEP_STATES)[number];

/** The legal moves of a run. An empty list marks a terminal state. */
export const RUN_MOVES = {
  CREATED: ['QUEUED', 'RUNNING', 'CANCELLING', 'TIMED_OUT'],
  QUEUED: ['RUNNING', 'CANCELLING', 'TIMED_OUT'],
  RUNNING: ['WAITING', 'CANCELLING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT'],
  WAITING: ['QUEUED', 'CANCELLING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT'],
  CANCELLING: ['CANCELLED'],
  SUCCEEDED: [],
  FAILED: [],
  CANCELLED: [],
  TIMED_OUT: [],
} as const satisfies Record<RunState, readonly RunState[]>;

/**
 * The legal moves of a step. An empty list marks a terminal state. RUNNING and DISPATCHED lead to DISPATCHED again when the step's
 * worker is lost: the same attempt is sent once more under a new token.
 */
export const STEP_MOVES = {
  PENDING: ['DISPATCHED', 'WAITING', 'SKIPPED', 'FAILED', 'CANCELLED'],
  DISPATCHED: ['RUNNING', 'DISPATCHED', 'FAILED', 'CANCELLED'],
  RUNNING: ['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'RETRYING', 'DISPATCHED', 'CANCELLED'],
  RETRYING: ['DISPATCHED', 'FAILED', 'CANCELLED'],
  WAITING: ['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'CANCELLED'],
  SUCCEEDED: [],
  FAILED: [],
  TIMED_OUT: [],
  CANCELLED: [],
  SKIPPED: [],
} as const satisfies Record<StepState, readonly StepState[]>;

export type TerminalRunState = 'SUCCEEDED' | 'FAILED' | 'CANCELLED' | 'TIMED_OUT';
export type TerminalStepState = 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'CANCELLED' | 'SKIPPED';

export function isTerminalRun(state: RunState): state is TerminalRunState {
  return RUN_MOVES[state].length === 0;
}

export function isTerminalStep(state: StepState): state is TerminalStepState {
  return STEP_MOVES[state].length === 0;
}
