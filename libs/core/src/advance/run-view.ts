import type { Json } from '../json.ts';
import type { Plan } from '../plan.ts';
import type { RunState, StepState } from '../states.ts';

/** Names one dispatch of a step. A report that carries another token than the step's row changes nothing. */
export interface Token {
  readonly epoch: number;
  readonly dispatchNo: number;
}

export function sameToken(one: Token, other: Token): boolean {
  return one.epoch === other.epoch && one.dispatchNo === other.dispatchNo;
}

/** Why a step was skipped. */
export const SKIP_REASONS = { condition: 'step.condition_false', need: 'step.need_failed', reused: 'step.reused' } as const;
export type SkipReason = (typeof SKIP_REASONS)[keyof typeof SKIP_REASONS];

/** A step's row, as read. */
export interface StepView extends Token {
  readonly no: number;
  readonly state: StepState;
  readonly version: number;
  readonly attempt: number;
  readonly workerLosses: number;
  readonly reason: string | null;
}

/**
 * What is known of a run when a decision is made. Every transaction that changes the run counts `rev` up; a decision is written only while
 * `rev` still stands.
 */
export interface RunView {
  readonly id: string;
  readonly plan: Plan;
  readonly deploymentId: string;
  readonly state: RunState;
  readonly version: number;
  readonly rev: number;
  /** Steps of the plan that have not ended. */
  readonly remaining: number;
  /** Steps DISPATCHED, RUNNING or RETRYING; steps WAITING. */
  readonly active: number;
  readonly waiting: number;
  /** Some step ended FAILED or TIMED_OUT. */
  readonly failed: boolean;
  /** Rows read, by step number. */
  readonly steps: ReadonlyMap<number, StepView>;
  /** Numbers of the steps that were looked for: those without a row in `steps` are PENDING. `all`: every row was read. */
  readonly looked: 'all' | ReadonlySet<number>;
  /** Unmet needs of the joins that were read. */
  readonly unmet: ReadonlyMap<number, number>;
}

/** The scheduler's settings that a decision depends on. */
export interface DecisionLimits {
  /** The database's current epoch. */
  readonly epoch: number;
  /** A step whose worker was lost more often than this fails: it may be what kills them. */
  readonly workerLossesMax: number;
  /** Times that a step may be lost of which nobody knows that a worker had begun it. Each further one counts as its worker's loss. */
  readonly silentLossesMax: number;
}

/** What happened to a run. `causeId` names it in the audit; `actor` says who. */
export type RunEvent = { readonly causeId: string; readonly actor: string } & (
  | { readonly kind: 'started'; readonly stepNo: number; readonly token: Token; readonly from: string }
  | {
      readonly kind: 'ended';
      readonly stepNo: number;
      readonly token: Token;
      /** Id of the deployment whose stream brought the report: only the run's own is believed. */
      readonly from: string;
      readonly outcome: 'succeeded' | 'failed' | 'timed_out' | 'cancelled';
      readonly ranMs: number;
      readonly output: Json;
      readonly error: StepErrorView | null;
      /** A number in [0, 1) for the jitter of a retry's delay. */
      readonly dice: number;
    }
  /** A place became free, or none was needed: the run starts or goes on after waiting. `reused`: steps taken over from the run it retries. */
  | { readonly kind: 'admitted'; readonly reused: readonly number[] }
  /** No place is free. */
  | { readonly kind: 'held'; readonly reason: string }
  | { readonly kind: 'delay_over'; readonly stepNo: number }
  | { readonly kind: 'retry_due'; readonly stepNo: number }
  /** This dispatch is lost: a worker had begun it and is gone; or had it in its hands, but not begun as far as it told; or it was seen nowhere. */
  | { readonly kind: 'lost'; readonly stepNo: number; readonly token: Token; readonly was: 'begun' | 'held' | 'unseen' }
  /** The worker holds the step but did not end it at its timeout. */
  | { readonly kind: 'overdue'; readonly stepNo: number; readonly token: Token }
  /** Ends a run in CANCELLING. */
  | { readonly kind: 'cancel' }
  /** The run's own timeout. */
  | { readonly kind: 'deadline' }
);

export interface StepErrorView {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  readonly retryAfterSeconds?: number | undefined;
}

/** A ready step's condition and input, evaluated outside of the decision. */
export type StepEvaluation =
  | { readonly kind: 'run'; readonly input: Json }
  | { readonly kind: 'skip' }
  | { readonly kind: 'error'; readonly code: string; readonly message: string };
