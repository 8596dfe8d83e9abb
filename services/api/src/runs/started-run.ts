import type { RunSummary } from '#contracts';
import type { DeploymentResolution, Json } from '#core';
import type { DeploymentEntity, RunSummaryRow, RunTarget, StartableWorkflow } from '#store';

/** A request to start a run, its input checked to be storable. */
export interface StartRequest {
  readonly workflowId: string;
  readonly input: { readonly [key: string]: Json };
  readonly inputJson: string;
  readonly idempotencyKey: string | null;
  readonly actor: string;
}

/** A run that was started, and whether this call started it or the one before with the same key. Rows become summaries by being written as JSON. */
export interface StartedRun {
  readonly run: RunSummary | RunSummaryRow;
  readonly repeated: boolean;
}

/** A workflow's current version in its deployment: what its runs have in common. */
export interface StartPlace {
  readonly workflow: StartableWorkflow;
  readonly target: RunTarget;
  readonly resolution: DeploymentResolution<DeploymentEntity>;
}

/** A run as it is right after its creation, without reading it. Its moment is text: JSON asks a Date for it each time, which costs as much as all the rest. */
export function summaryOf(
  place: StartPlace,
  run: { id: string; actor: string; retryOf: string | null; reason: string | null },
  createdAt: Date,
): RunSummary {
  const { workflow, target, resolution } = place;
  const { id, name, pool } = resolution.deployment;
  const moment = createdAt.toISOString();
  return {
    id: run.id,
    workflowId: workflow.id,
    workflow: workflow.name,
    workflowVersion: target.workflowVersion,
    environment: target.environment,
    team: target.team,
    deployment: { id, name, pool },
    matchedBy: target.matchedBy,
    state: 'CREATED',
    version: 1,
    reason: run.reason,
    retryOf: run.retryOf,
    createdBy: run.actor,
    createdAt: moment,
    changedAt: moment,
    startedAt: null,
    endedAt: null,
  };
}
