import type { Json, Plan, RunState, StepState } from '#core';

/** A workflow version as the database keeps it. */
export interface VersionRow {
  readonly workflowId: string;
  readonly version: number;
  readonly name: string;
  readonly plan: Plan;
}

export interface DeploymentRow {
  readonly id: string;
  readonly name: string;
  readonly concurrencyLimit: number | null;
}

export interface TeamRow {
  readonly name: string;
  readonly concurrencyLimit: number | null;
  readonly weight: number;
}

export interface RunRow {
  readonly id: string;
  readonly workflowId: string;
  readonly workflowVersion: number;
  readonly environment: string | null;
  readonly team: string | null;
  readonly deploymentId: string;
  readonly retryOf: string | null;
  readonly state: RunState;
  readonly via: RunState | null;
  readonly version: number;
  readonly causeId: string;
  readonly actor: string;
  readonly reason: string | null;
  readonly createdAt: number;
  readonly endedAt: number | null;
}

export interface LiveRow {
  readonly runId: string;
  readonly rev: number;
  readonly phase: string;
  readonly remaining: number;
  readonly active: number;
  readonly waiting: number;
  readonly failed: boolean;
  readonly began: boolean;
  readonly deploymentId: string;
  readonly workflowId: string;
  readonly team: string;
  readonly priority: number;
  readonly concurrencyKey: string | null;
  readonly concurrencyLimit: number | null;
  readonly deadlineAt: number | null;
  readonly queuedAt: number;
}

export interface StepRow {
  readonly runId: string;
  readonly stepNo: number;
  readonly name: string;
  readonly state: StepState;
  readonly via: StepState | null;
  readonly version: number;
  readonly epoch: number;
  readonly dispatchNo: number;
  readonly attempt: number;
  readonly workerLosses: number;
  readonly timeoutSeconds: number;
  readonly causeId: string;
  readonly actor: string;
  readonly reason: string | null;
  readonly changedAt: number;
  readonly endedAt: number | null;
}

export interface WaitRow {
  readonly runId: string;
  readonly stepNo: number;
  readonly unmet: number;
}

export interface OutputRow {
  readonly runId: string;
  readonly stepNo: number;
  readonly output: Json;
  readonly error: Json;
}

export interface TimerRow {
  readonly runId: string;
  readonly stepNo: number;
  readonly kind: string;
  readonly dueAt: number;
}

export type Held = readonly [runId: string, stepNo: number, dispatchNo: number];

export interface SessionRow {
  readonly session: string;
  readonly deploymentId: string;
  readonly held: readonly Held[];
  readonly begun: number | null;
  /** The number of its last heartbeat. */
  readonly beatNo: number | null;
  readonly expiresAt: number;
}

export interface LeaseRow {
  readonly holder: string;
  readonly term: number;
  readonly expiresAt: number;
}

/** A row of the audit, with the token that the step had before the move: what the checker compares reports with. */
export interface AuditRow {
  readonly runId: string;
  readonly stepNo: number;
  readonly version: number;
  readonly leaves: string | null;
  readonly enters: string;
  readonly causeId: string;
  readonly actor: string;
  readonly reason: string | null;
  readonly epoch: number | null;
  readonly dispatchNo: number | null;
  readonly tokenBefore: string | null;
  readonly at: number;
}
