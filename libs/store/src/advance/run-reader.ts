import type { Json, RunState, StepState, StepView } from '#core';
import type { HotConnection } from '../hot-connection.ts';
import { statement } from '../statement.ts';

const RUNS_VIEW = statement('runs_view');
const STEPS_VIEW = statement('steps_view');
const WAITS_VIEW = statement('waits_view');
const OUTPUTS_VIEW = statement('outputs_view');
const INPUTS_VIEW = statement('inputs_view');

/** A live run as its rows tell it, without its steps. */
export interface RunHead {
  readonly id: string;
  readonly workflowId: string;
  readonly workflowVersion: number;
  readonly environment: string | null;
  readonly team: string | null;
  readonly deploymentId: string;
  readonly state: RunState;
  readonly version: number;
  readonly retryOf: string | null;
  readonly rev: number;
  readonly remaining: number;
  readonly active: number;
  readonly waiting: number;
  readonly failed: boolean;
}

/** A row with a run's head in it. */
export interface RunHeadRow {
  readonly id: string;
  readonly workflow_id: string;
  readonly workflow_version: number;
  readonly environment: string | null;
  readonly team: string | null;
  readonly deployment_id: string;
  readonly state: RunState;
  readonly version: number;
  readonly retry_of: string | null;
  readonly rev: number;
  readonly remaining: number;
  readonly active: number;
  readonly waiting: number;
  readonly failed: boolean;
}

/** Names a step of a run; `stepNo` 0 in a request for rows: all of them. */
export interface StepKey {
  readonly runId: string;
  readonly stepNo: number;
}

/** A step that has left PENDING, as its row tells it. */
export interface RunStep extends StepView {
  readonly runId: string;
}

interface StepRow {
  run_id: string;
  step_no: number;
  state: StepState;
  version: number;
  epoch: number;
  dispatch_no: number;
  attempt: number;
  worker_losses: number;
  reason: string | null;
}

/** Reads what decisions need, many runs at a time. Reads outside of transactions: what is decided on them is guarded by the run's rev. */
export class RunReader {
  constructor(private readonly connection: HotConnection) {}

  /** The live runs among these. Those that have ended, or never were, are missing. */
  async heads(runIds: readonly string[]): Promise<RunHead[]> {
    if (runIds.length === 0) return [];
    return (await this.connection.query<RunHeadRow>(RUNS_VIEW, [runIds])).map(toRunHead);
  }

  async steps(keys: readonly StepKey[]): Promise<RunStep[]> {
    if (keys.length === 0) return [];
    const rows = await this.connection.query<StepRow>(STEPS_VIEW, pairs(keys));
    return rows.map((row) => ({
      runId: row.run_id,
      no: row.step_no,
      state: row.state,
      version: row.version,
      epoch: row.epoch,
      dispatchNo: row.dispatch_no,
      attempt: row.attempt,
      workerLosses: row.worker_losses,
      reason: row.reason,
    }));
  }

  async unmet(keys: readonly StepKey[]): Promise<(StepKey & { unmet: number })[]> {
    if (keys.length === 0) return [];
    const rows = await this.connection.query<{ run_id: string; step_no: number; unmet: number }>(WAITS_VIEW, pairs(keys));
    return rows.map((row) => ({ runId: row.run_id, stepNo: row.step_no, unmet: row.unmet }));
  }

  /** Outputs of these steps; a step that put out null is missing. */
  async outputs(keys: readonly StepKey[]): Promise<(StepKey & { output: Json })[]> {
    if (keys.length === 0) return [];
    const rows = await this.connection.query<{ run_id: string; step_no: number; output: Json }>(OUTPUTS_VIEW, pairs(keys));
    return rows.map((row) => ({ runId: row.run_id, stepNo: row.step_no, output: row.output }));
  }

  /** What these runs were started with; those that were started with `{}` are missing. */
  async inputs(runIds: readonly string[]): Promise<Map<string, Json>> {
    if (runIds.length === 0) return new Map();
    const rows = await this.connection.query<{ run_id: string; input: Json }>(INPUTS_VIEW, [runIds]);
    return new Map(rows.map((row) => [row.run_id, row.input]));
  }
}

function pairs(keys: readonly StepKey[]): [string[], number[]] {
  return [keys.map((key) => key.runId), keys.map((key) => key.stepNo)];
}

export function toRunHead(row: RunHeadRow): RunHead {
  const { id, environment, team, state, version, rev, remaining, active, waiting, failed } = row;
  const { workflow_id: workflowId, workflow_version: workflowVersion, deployment_id: deploymentId, retry_of: retryOf } = row;
  return {
    id,
    workflowId,
    workflowVersion,
    environment,
    team,
    deploymentId,
    state,
    version,
    retryOf,
    rev,
    remaining,
    active,
    waiting,
    failed,
  };
}
