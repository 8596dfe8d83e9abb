import { DomainError, type Json } from '#core';
import type { NewRun, StartableWorkflow } from '#store';
import type { KnownVersion } from '../workflows/version-cache.ts';
import type { ConcurrencyKeys } from './concurrency-keys.ts';
import type { FoundPlace, StartPlaces } from './start-places.ts';
import type { StartPlace, StartRequest } from './started-run.ts';

/** Longest value of a concurrency key: it is indexed. */
const CONCURRENCY_KEY_MAX = 500;

/** A run ready to be inserted, with where it goes. */
export interface PreparedRun {
  readonly run: NewRun;
  readonly place: StartPlace;
}

/** Turns a request into a run: finds its place, checks its input, evaluates its concurrency key. */
export class RunPreparer {
  constructor(
    private readonly places: StartPlaces,
    private readonly concurrencyKeys: Pick<ConcurrencyKeys, 'evaluate'>,
  ) {}

  /** The place of all runs that are started of a workflow at once. Throws `workflow.*` and `deployment.none`. */
  async placeOf(workflowId: string, workflow: StartableWorkflow | undefined): Promise<FoundPlace> {
    if (!workflow) throw unknownWorkflow(workflowId);
    return this.places.find(workflow);
  }

  /** Throws `run.input_invalid` and `run.concurrency_key_invalid`. */
  async prepare(request: StartRequest, id: string, { place, version }: FoundPlace): Promise<PreparedRun> {
    checkInput(version, request.input);
    const concurrencyKey = version.plan.concurrency && (await this.keyOf(version, place, id, request.input));
    const { inputJson, actor } = request;
    return { run: { id, target: place.target, inputJson, actor, retryOf: null, concurrencyKey, reason: null }, place };
  }

  /** The value of a version's concurrency key for an input; empty when the limit is the whole workflow's. */
  async keyOf(
    { plan }: KnownVersion,
    { workflow, target }: StartPlace,
    runId: string,
    input: Json,
    attemptOf: string | null = null,
  ): Promise<string> {
    const key = plan.concurrency?.key;
    if (!key) return '';
    const { environment, team } = target;
    const run = { id: runId, workflow: workflow.name, version: target.workflowVersion, environment, team, attemptOf };
    const result = await this.concurrencyKeys.evaluate(key.source, { input, steps: {}, run, failed: false });
    if (
      result.kind === 'value' &&
      typeof result.value === 'string' &&
      result.value.length <= CONCURRENCY_KEY_MAX &&
      !result.value.includes('\0')
    )
      return result.value;
    throw new DomainError(
      'run.concurrency_key_invalid',
      'The concurrency key of this run has no usable value.',
      { source: key.source, ...(result.kind === 'error' ? { cause: result.code, message: result.message } : {}) },
      `The key must be a text of at most ${CONCURRENCY_KEY_MAX} characters for every valid input: give the fields it names, or default() them.`,
    );
  }
}

export function unknownWorkflow(workflowId: string): DomainError {
  return new DomainError(
    'workflow.unknown',
    'There is no such workflow.',
    { workflowId: workflowId.slice(0, 100) },
    'GET /api/v1/workflows lists them.',
  );
}

function checkInput({ faultsOf }: KnownVersion, input: Json): void {
  const faults = faultsOf?.(input) ?? [];
  const [first] = faults;
  if (!first) return;
  throw new DomainError(
    'run.input_invalid',
    `The input does not fit the workflow's schema: ${first.path || 'input'} ${first.message}.`,
    { faults: faults.map(({ path, message }) => ({ code: 'run.input_invalid', path, message })) },
    'Correct the fields that details.faults names; the schema is `spec.input` of the version.',
  );
}
