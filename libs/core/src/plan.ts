import type { Json } from './json.ts';

/** How a failing step is tried again. Delay before attempt n+1: min(maxBackoffMs, backoffMs × factor^(n-1)) ± jitter share. */
export interface RetryPolicy {
  /** Tries in all, the first included: 1 (no retry) to 26. */
  readonly attempts: number;
  readonly backoffMs: number;
  /** 1 to 10. */
  readonly factor: number;
  readonly maxBackoffMs: number;
  /** Share of the delay that is drawn at random on either side: 0 to 1. */
  readonly jitter: number;
  /** Error codes that end the step at once. */
  readonly nonRetryable: readonly string[];
}

/** A CEL expression, and what it may look at: found when the version is published, so that only that is loaded. */
export interface Expression {
  readonly source: string;
  /** Numbers of the steps whose output or state it names. All are ancestors. */
  readonly steps: readonly number[];
  /** True when it names `failed`, and so takes the decision about failed needs into its own hands. */
  readonly readsFailed: boolean;
  /** True when it holds a comprehension (all, exists, map, filter …): evaluated in a thread that can be ended. */
  readonly heavy: boolean;
}

/** A node of a plan. `no` is its 1-based place in the plan; with the run's id it is the step's key. */
export interface PlanStep {
  readonly no: number;
  readonly name: string;
  readonly uses: string;
  readonly needs: readonly number[];
  readonly dependents: readonly number[];
  readonly condition: Expression | null;
  /** The step's `with`; strings of the form `${{ … }}` are evaluated when the step becomes ready. */
  readonly input: Json;
  /** Numbers of the steps that the input's expressions name, and whether any expression in it is heavy. Null: the input is literal. */
  readonly inputReads: { readonly steps: readonly number[]; readonly heavy: boolean } | null;
  readonly retry: RetryPolicy;
  readonly timeoutSeconds: number;
}

/** Numbers of the steps that the step's expressions name: all that they may look at. */
export function readsOf(step: PlanStep): number[] {
  return [...new Set([...(step.condition?.steps ?? []), ...(step.inputReads?.steps ?? [])])];
}

/** A workflow version, compiled: what the scheduler decides with. Steps are in topological order: `steps[no - 1].no === no`. */
export interface Plan {
  readonly steps: readonly PlanStep[];
  /** Numbers of the steps without needs. */
  readonly roots: readonly number[];
  readonly runTimeoutSeconds: number | null;
  readonly priority: number;
  readonly concurrency: { readonly key: Expression | null; readonly limit: number } | null;
}
