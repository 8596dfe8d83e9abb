import { createHash } from 'node:crypto';
import { DomainError } from '#core';
import type { HotConnection, KeyedRun, Remembered, RunSummaryRow, RunViews, StartableWorkflow } from '#store';
import type { ApiMetrics } from '../api-metrics.ts';
import type { StartableWorkflows } from '../workflows/startable-workflows.ts';
import { GroupLane, type GroupLaneOptions, type Outcome } from './group-lane.ts';
import type { RunAnnouncer } from './run-announcer.ts';
import type { RunIds } from './run-ids.ts';
import { type Inserted, RunInserter } from './run-inserter.ts';
import type { PreparedRun, RunPreparer } from './run-preparer.ts';
import type { FoundPlace } from './start-places.ts';
import { type StartRequest, type StartedRun, summaryOf } from './started-run.ts';

export interface SubmitterOptions extends GroupLaneOptions {
  /** One per lane; `keyed` is for runs with an idempotency key, which need a transaction. */
  readonly connections: readonly HotConnection[];
  readonly keyed: HotConnection;
}

/** A request and the id that its run will have. */
interface Asked {
  readonly request: StartRequest;
  readonly id: string;
}

interface Ready extends PreparedRun {
  readonly asked: Asked;
}

/** What became of a request; `again`: it was decided by what was remembered of its workflow, and is to be decided by what the workflow is now. */
type Decided = Outcome<StartedRun> | 'again';

type Repeated = { readonly runs: ReadonlyMap<string, RunSummaryRow> } | { readonly error: unknown };

interface Lane {
  readonly connection: HotConnection;
  insert(ready: readonly Ready[], remembered: Remembered): Promise<Inserted[]>;
}

/** Starts runs, all that come at once by one statement, and by one round trip where their workflows are remembered. */
export class RunSubmitter {
  private readonly plain: GroupLane<StartRequest, StartedRun>;
  private readonly keyed: GroupLane<StartRequest, StartedRun>;

  constructor(
    options: SubmitterOptions,
    private readonly preparer: Pick<RunPreparer, 'placeOf' | 'prepare'>,
    private readonly workflows: StartableWorkflows,
    private readonly ids: RunIds,
    private readonly views: Pick<RunViews, 'findMany'>,
    private readonly announcer: Pick<RunAnnouncer, 'tell'>,
    private readonly metrics: Pick<ApiMetrics, 'submitGroup'>,
  ) {
    const lanes = options.connections.map(plainLane);
    const keyed = keyedLane(options.keyed);
    this.plain = new GroupLane((requests, at) => this.start(lanes[at] ?? noLane(at), requests), options);
    this.keyed = new GroupLane((requests) => this.start(keyed, requests), { ...options, lanes: 1 });
  }

  /** Throws what preparing throws, `run.idempotency_mismatch`, `api.busy` and `run.outcome_unknown`. */
  submit(request: StartRequest): Promise<StartedRun> {
    return (request.idempotencyKey === null ? this.plain : this.keyed).submit(request);
  }

  private async start(lane: Lane, requests: readonly StartRequest[]): Promise<Outcome<StartedRun>[]> {
    this.metrics.submitGroup.observe(requests.length);
    const workflowIds = [...new Set(requests.map((request) => request.workflowId))];
    const remembered = this.workflows.remembered(workflowIds);
    const strangers = workflowIds.filter((id) => !remembered.has(id));
    // Both travel together, when they travel at all.
    const [ids, read] = await Promise.all([
      this.ids.take(lane.connection, requests.length),
      this.workflows.read(lane.connection, strangers),
    ]);
    const asked = requests.map((request, at): Asked => ({ request, id: ids[at] ?? noLane(at) }));
    const decided = await this.decide(lane, asked, new Map([...remembered, ...read]), remembered);
    const open = asked.filter((one) => decided.get(one) === 'again');
    const anew = open.length === 0 ? decided : await this.decideAnew(lane, open);
    return asked.map((one) => outcomeOf(decided.get(one), anew.get(one)));
  }

  /** By what the workflows are now: whatever changed them before these requests came counts for them. */
  private async decideAnew(lane: Lane, asked: readonly Asked[]): Promise<Map<Asked, Decided>> {
    const workflows = await this.workflows.read(lane.connection, [...new Set(asked.map(({ request }) => request.workflowId))]);
    return this.decide(lane, asked, workflows, new Map());
  }

  private async decide(
    lane: Lane,
    asked: readonly Asked[],
    workflows: ReadonlyMap<string, StartableWorkflow>,
    remembered: ReadonlyMap<string, StartableWorkflow>,
  ): Promise<Map<Asked, Decided>> {
    const places = new Map<string, Promise<FoundPlace>>();
    const placeOf = (workflowId: string): Promise<FoundPlace> => {
      const place = places.get(workflowId) ?? this.preparer.placeOf(workflowId, workflows.get(workflowId));
      places.set(workflowId, place);
      return place;
    };
    const ready: Ready[] = [];
    const decided = new Map<Asked, Decided>();
    const prepare = async (one: Asked): Promise<void> => {
      const { workflowId } = one.request;
      try {
        ready.push({ asked: one, ...(await this.preparer.prepare(one.request, one.id, await placeOf(workflowId))) });
      } catch (error) {
        decided.set(one, remembered.has(workflowId) ? 'again' : { error });
      }
    };
    await Promise.all(asked.map(prepare));
    if (ready.length > 0) await this.insert(lane, ready, remembered, decided);
    return decided;
  }

  private async insert(
    lane: Lane,
    ready: readonly Ready[],
    remembered: ReadonlyMap<string, StartableWorkflow>,
    decided: Map<Asked, Decided>,
  ): Promise<void> {
    const toCompare = ready.filter(({ place }) => remembered.has(place.workflow.id));
    const inserted = await lane.insert(ready, new Map(toCompare.map(({ run, place }) => [run.target, place.workflow])));
    this.announcer.tell(ready.filter((_, at) => isCreated(inserted[at])));
    const repeated = await this.repeatedOf(inserted);
    ready.forEach((one, at) => decided.set(one.asked, settled(one, inserted[at], repeated)));
  }

  /** The runs that keys had started before, or why they cannot be read: those that were created are told all the same. */
  private async repeatedOf(inserted: readonly Inserted[]): Promise<Repeated> {
    const ids = new Set(inserted.flatMap((one) => ('done' in one && one.done.kind === 'repeated' ? [one.done.runId] : [])));
    if (ids.size === 0) return { runs: new Map() };
    try {
      return { runs: new Map((await this.views.findMany([...ids])).map((run) => [run.id, run])) };
    } catch (error) {
      return { error };
    }
  }
}

function plainLane(connection: HotConnection): Lane {
  const inserter = new RunInserter(connection);
  const runsOf = (ready: readonly Ready[]) => ready.map(({ run }) => run);
  return { connection, insert: (ready, remembered) => inserter.insert(runsOf(ready), remembered) };
}

function keyedLane(connection: HotConnection): Lane {
  const inserter = new RunInserter(connection);
  return { connection, insert: (ready, remembered) => inserter.insertKeyed(ready.map(keyedOf), remembered) };
}

/** The key counts per workflow; the body is the input. */
function keyedOf({ run, asked: { request } }: Ready): KeyedRun {
  const { idempotencyKey, workflowId, inputJson } = request;
  if (idempotencyKey === null) return noLane(0);
  return { ...run, scope: `workflow:${workflowId}`, key: idempotencyKey, bodyHash: createHash('sha256').update(inputJson).digest() };
}

function isCreated(inserted: Inserted | undefined): boolean {
  return inserted !== undefined && 'done' in inserted && inserted.done.kind === 'created';
}

function settled({ run, place }: Ready, inserted: Inserted | undefined, repeated: Repeated): Decided {
  if (!inserted || 'error' in inserted) return { error: inserted?.error };
  const { done } = inserted;
  if (done.kind === 'outdated') return 'again';
  if (done.kind === 'created') return { answer: { run: summaryOf(place, run, done.createdAt), repeated: false } };
  if ('error' in repeated) return repeated;
  const earlier = repeated.runs.get(done.runId);
  return earlier ? { answer: { run: earlier, repeated: true } } : { error: mismatch(done.runId) };
}

function outcomeOf(first: Decided | undefined, anew: Decided | undefined): Outcome<StartedRun> {
  const decided = first === 'again' ? anew : first;
  return decided === undefined || decided === 'again' ? { error: undecided() } : decided;
}

function mismatch(runId: string): DomainError {
  return new DomainError(
    'run.idempotency_mismatch',
    'The idempotency key was used with another input.',
    { runId },
    'Use a new key for a new input; details.runId is the run that the key stands for.',
  );
}

/** What was read just now and is not compared cannot be outdated; its version and its deployment are never deleted. */
function undecided(): DomainError {
  return new DomainError('invariant.broken', 'A submit was not decided by what its workflow is now.', {}, null, 'bug');
}

function noLane(at: number): never {
  throw new DomainError('invariant.broken', 'A group and its lane do not fit.', { at }, null, 'bug');
}
