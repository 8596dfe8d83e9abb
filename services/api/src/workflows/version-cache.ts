import { LRUCache } from 'lru-cache';
import { DomainError, type Json, type Plan, type PlanStep } from '#core';
import type { InputFault, WorkflowDefinition } from '#definitions';
import type { WorkflowStore } from '#store';

const VERSIONS_REMEMBERED_MAX = 1_000;

type InputCheck = (input: Json) => readonly InputFault[];

/** A version, ready to start runs of and to read runs with. */
export interface KnownVersion {
  readonly workflowId: string;
  readonly version: number;
  readonly plan: Plan;
  /** What its input schema finds wrong with an input. Null: it has none, and every object is a valid input. */
  readonly faultsOf: InputCheck | null;
  readonly stepsByName: ReadonlyMap<string, PlanStep>;
  /** The steps that nothing needs: their outputs are the run's. */
  readonly sinks: readonly PlanStep[];
}

/** Versions never change: what was read once is kept while it is used. */
export class VersionCache {
  private readonly versions = new LRUCache<string, Promise<KnownVersion>>({ max: VERSIONS_REMEMBERED_MAX });

  constructor(private readonly workflows: WorkflowStore) {}

  /** Throws `version.unknown`. */
  get(workflowId: string, version: number): Promise<KnownVersion> {
    const key = `${workflowId} ${version}`;
    const known = this.versions.get(key);
    if (known) return known;
    const read = this.read(workflowId, version);
    this.versions.set(key, read);
    read.catch(() => this.versions.delete(key));
    return read;
  }

  private async read(workflowId: string, version: number): Promise<KnownVersion> {
    const row = await this.workflows.findVersion<WorkflowDefinition>(workflowId, version);
    if (!row)
      throw new DomainError(
        'version.unknown',
        `There is no version ${version} of this workflow.`,
        { workflowId, version },
        'GET …/versions lists them.',
      );
    const { plan } = row;
    const schema = row.definition.spec.input;
    return {
      workflowId,
      version,
      plan,
      faultsOf: schema ? await inputCheckOf(schema) : null,
      stepsByName: new Map(plan.steps.map((step) => [step.name, step])),
      sinks: plan.steps.filter((step) => step.dependents.length === 0),
    };
  }
}

/** Loaded by the first version with a schema. */
async function inputCheckOf(schema: { readonly [key: string]: Json }): Promise<InputCheck> {
  const { compileInputSchema, inputFaults } = await import('#definitions');
  const compiled = compileInputSchema(schema);
  return (input) => inputFaults(compiled, input);
}
