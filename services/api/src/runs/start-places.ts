import { LRUCache } from 'lru-cache';
import { DomainError } from '#core';
import type { RunTarget, StartableWorkflow } from '#store';
import type { DeploymentDirectory } from '../deployments/deployment-directory.ts';
import type { KnownVersion, VersionCache } from '../workflows/version-cache.ts';
import type { StartPlace } from './started-run.ts';

const TARGETS_REMEMBERED_MAX = 10_000;

/** Where runs of a workflow go, and the version they are of. */
export interface FoundPlace {
  readonly place: StartPlace;
  readonly version: KnownVersion;
}

/** Finds where runs of a workflow go. Equal answers share one target object: what a group's runs share is sent to the database once. */
export class StartPlaces {
  private readonly targets = new LRUCache<string, RunTarget>({ max: TARGETS_REMEMBERED_MAX });

  constructor(
    private readonly versions: VersionCache,
    private readonly directory: DeploymentDirectory,
  ) {}

  /** Throws `workflow.disabled`, `workflow.unpublished` and `deployment.none`. */
  async find(workflow: StartableWorkflow): Promise<FoundPlace> {
    if (!workflow.enabled) throw disabled(workflow);
    if (workflow.version === 0)
      throw new DomainError('workflow.unpublished', 'The workflow has no version yet.', { workflowId: workflow.id }, 'Publish it first.');
    return this.findFor(workflow);
  }

  /** The same for a given version, of a workflow that may be disabled: what a retry needs. */
  async findFor(workflow: StartableWorkflow): Promise<FoundPlace> {
    const [version, resolution] = await Promise.all([
      this.versions.get(workflow.id, workflow.version),
      this.directory.resolve(workflow.environment, workflow.team),
    ]);
    const environment = this.directory.environmentOf(workflow.environment, workflow.team);
    const { deployment, matchedBy } = resolution;
    const key = `${workflow.id} ${workflow.version} ${environment} ${workflow.team} ${deployment.id} ${matchedBy}`;
    const target = this.targets.get(key) ?? targetOf(workflow, version, environment, deployment.id, matchedBy);
    this.targets.set(key, target);
    return { place: { workflow, target, resolution }, version };
  }
}

function targetOf(
  workflow: StartableWorkflow,
  { plan }: KnownVersion,
  environment: string | null,
  deploymentId: string,
  matchedBy: RunTarget['matchedBy'],
): RunTarget {
  return {
    workflowId: workflow.id,
    workflowVersion: workflow.version,
    environment,
    team: workflow.team,
    deploymentId,
    matchedBy,
    stepCount: plan.steps.length,
    timeoutSeconds: plan.runTimeoutSeconds,
    priority: plan.priority,
    concurrencyLimit: plan.concurrency?.limit ?? null,
  };
}

function disabled({ id, name }: StartableWorkflow): DomainError {
  return new DomainError(
    'workflow.disabled',
    `The workflow ${name} is disabled.`,
    { workflowId: id },
    'Enable it with PATCH /api/v1/workflows/{id}.',
  );
}
