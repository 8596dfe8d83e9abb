import type { Json } from '../json.ts';
import type { RunState, StepState } from '../states.ts';
import type { RunView, StepErrorView, StepEvaluation } from './run-view.ts';

/** A move of the run: one hop, or two by way of `via`. */
export interface RunMove {
  readonly leaves: RunState;
  readonly via: RunState | null;
  readonly enters: RunState;
  /** The version it enters with: one more than before, two with `via`. */
  readonly version: number;
  readonly causeId: string;
  readonly actor: string;
  readonly reason: string | null;
}

/** A step's new row state. `leaves` PENDING: the row is inserted. */
export interface StepMove {
  readonly no: number;
  readonly leaves: StepState;
  readonly via: StepState | null;
  readonly enters: StepState;
  readonly version: number;
  readonly epoch: number;
  readonly dispatchNo: number;
  readonly attempt: number;
  readonly workerLosses: number;
  readonly causeId: string;
  readonly actor: string;
  readonly reason: string | null;
  /** How long before now the step started, where this move tells it. */
  readonly startedMsAgo: number | null;
}

export interface StepResult {
  readonly no: number;
  readonly output: Json;
  readonly error: StepErrorView | null;
}

export interface TimerChange {
  readonly no: number;
  readonly kind: 'delay' | 'retry';
  /** Milliseconds from now, or an absolute moment in milliseconds since 1970. */
  readonly due: { readonly inMs: number } | { readonly atMs: number };
}

/**
 * What became of an event. `foreign`: it came from a deployment that the run does not belong to. `stale`: its token was replaced by a later dispatch. `settled`: what it tells has happened already. `ignored`: the
 * run's state has no use for it. These four change nothing. `later`: this decision has no room for it, it goes into the next one.
 */
export type EventVerdict = 'applied' | 'foreign' | 'stale' | 'settled' | 'ignored' | 'later';

/** Everything that one transaction writes for one run, and what follows its commit. */
export interface RunDecision {
  readonly kind: 'decided';
  readonly runId: string;
  readonly rev: number;
  readonly runMove: RunMove | null;
  readonly stepMoves: readonly StepMove[];
  readonly results: readonly StepResult[];
  /** Joins whose waits begin, with their number of needs: when a run is first admitted. */
  readonly waitsBegun: readonly { readonly no: number; readonly unmet: number }[];
  /** Joins with how many of their needs ended now. */
  readonly waitsLowered: readonly { readonly no: number; readonly by: number }[];
  readonly timersSet: readonly TimerChange[];
  readonly timersCleared: readonly { readonly no: number; readonly kind: 'delay' | 'retry' }[];
  /** Steps taken over from the retried run: their outputs are copied. */
  readonly reused: readonly number[];
  /** The live row afterwards, or null: the run has ended and the row goes. */
  readonly live: {
    readonly phase: LivePhase;
    readonly remaining: number;
    readonly active: number;
    readonly waiting: number;
    readonly failed: boolean;
  } | null;
  /** Steps to send to the deployment's workers after the commit, with their evaluated input. */
  readonly dispatches: readonly { readonly no: number; readonly dispatchNo: number; readonly attempt: number; readonly input: Json }[];
  /** Dispatches that workers must drop. */
  readonly dropped: readonly { readonly no: number; readonly dispatchNo: number }[];
  /** One verdict per event, in their order. */
  readonly verdicts: readonly EventVerdict[];
}

export type LivePhase = 'queued' | 'running' | 'waiting' | 'cancelling';

/** The decision needs more: rows of these steps, or these ready steps' conditions and inputs (`failed`: some need of the step failed). */
export interface DecisionWants {
  readonly kind: 'wants';
  readonly rows: readonly number[] | 'all';
  readonly unmet: readonly number[];
  readonly evaluations: readonly EvaluationWant[];
  /** Steps as this decision would leave them: what these evaluations must see although no row tells it yet. */
  readonly drafted: readonly { readonly no: number; readonly state: StepState; readonly output: Json }[];
}

/** A decision that cannot be made before what it wants is known. */
export interface UnfinishedDecision extends DecisionWants {
  /**
   * What will be wanted next, found by going on from here: so steps that one after another want something cost their number, not its square.
   * Takes what was wanted with the rest; to be called once. Null: nothing more can be told from here, decide again.
   */
  readonly wantsNext: (view: RunView, evaluations: ReadonlyMap<number, StepEvaluation>) => UnfinishedDecision | null;
}

export interface EvaluationWant {
  readonly no: number;
  /** The value of the variable `failed`: some need of the step failed. */
  readonly failed: boolean;
  /** The step was sent before: its condition is not asked again. */
  readonly inputOnly: boolean;
}

/** Reads as: is there anything in this decision to write? */
export function changesSomething(decision: RunDecision): boolean {
  return decision.runMove !== null || decision.stepMoves.length > 0;
}
