import { createHash } from 'node:crypto';
import { DomainError } from '#core';
import { type HotConnection, type KeyedOutcome, type KeyedRun, type NewRun, type RunViews, findStartable, takeRunIds } from '#store';
import type { Logger } from '#telemetry';
import type { ApiMetrics } from '../api-metrics.ts';
import { GroupLane, type GroupLaneOptions, type Outcome } from './group-lane.ts';
import { type Inserted, RunInserter } from './run-inserter.ts';
import type { PreparedRun, RunPreparer } from './run-preparer.ts';
import type { RunWakeups } from './run-wakeups.ts';
import { type StartRequest, type StartedRun, summaryOf } from './started-run.ts';

export interface SubmitterOptions extends GroupLaneOptions {
  /** One per lane; `keyed` is for runs with an idempotency key, which need a transaction. */
  readonly connections: readonly HotConnection[];
  readonly keyed: HotConnection;
}

/** Starts runs, all that come at once by one statement. */
export class RunSubmitter {
  private readonly plain: GroupLane<StartRequest, StartedRun>;
  private readonly keyed: GroupLane<StartRequest, StartedRun>;

  constructor(
    options: SubmitterOptions,
    private readonly preparer: RunPreparer,
    private readonly views: RunViews,
    private readonly wakeups: RunWakeups,
    private readonly metrics: ApiMetrics,
    private readonly logger: Logger,
  ) {
    const inserters = options.connections.map((connection) => ({ connection, inserter: new RunInserter(connection) }));
    const keyedInserter = new RunInserter(options.keyed);
    this.plain = new GroupLane((requests, at) => {
      const lane = inserters[at] ?? noLane(at);
      return this.start(lane.connection, requests, (prepared) => this.insertPlain(lane.inserter, prepared));
    }, options);
    this.keyed = new GroupLane(
      (requests) => this.start(options.keyed, requests, (prepared, of) => this.insertKeyed(keyedInserter, prepared, of)),
      { ...options, lanes: 1 },
    );
  }

  /** Throws what preparing throws, `run.idempotency_mismatch`, `api.busy` and `run.outcome_unknown`. */
  submit(request: StartRequest): Promise<StartedRun> {
    return (request.idempotencyKey === null ? this.plain : this.keyed).submit(request);
  }

  private async start(
    connection: HotConnection,
    requests: readonly StartRequest[],
    insert: (
      prepared: readonly PreparedRun[],
      of: ReadonlyMap<PreparedRun, StartRequest>,
    ) => Promise<ReadonlyMap<PreparedRun, Outcome<StartedRun>>>,
  ): Promise<Outcome<StartedRun>[]> {
    this.metrics.submitGroup.observe(requests.length);
    const workflowIds = [...new Set(requests.map((request) => request.workflowId))];
    // Both travel together: with the insert, a group costs two round trips.
    const [workflows, ids] = await Promise.all([findStartable(connection, workflowIds), takeRunIds(connection, requests.length)]);
    const prepared = await Promise.all(
      requests.map((request, at) =>
        this.preparer.prepare(request, ids[at] ?? noLane(at), workflows.get(request.workflowId)).catch((error: unknown) => ({ error })),
      ),
    );
    const requestOf = new Map<PreparedRun, StartRequest>();
    prepared.forEach((result, at) => {
      const request = requests[at];
      if ('run' in result && request) requestOf.set(result, request);
    });
    const outcomes = requestOf.size === 0 ? new Map<PreparedRun, Outcome<StartedRun>>() : await insert([...requestOf.keys()], requestOf);
    return prepared.map((result) => ('run' in result ? (outcomes.get(result) ?? { error: noLane(0) }) : result));
  }

  private async insertPlain(inserter: RunInserter, prepared: readonly PreparedRun[]): Promise<Map<PreparedRun, Outcome<StartedRun>>> {
    const inserted = await inserter.insert(prepared.map(({ run }) => run));
    const outcomes = new Map(prepared.map((one, at) => [one, outcomeOf(one, inserted[at])]));
    this.tell(prepared.filter((one) => 'answer' in (outcomes.get(one) ?? {})));
    return outcomes;
  }

  private async insertKeyed(
    inserter: RunInserter,
    prepared: readonly PreparedRun[],
    requestOf: ReadonlyMap<PreparedRun, StartRequest>,
  ): Promise<Map<PreparedRun, Outcome<StartedRun>>> {
    const inserted = await inserter.insertKeyed(prepared.map(({ run }, at) => keyedOf(run, requestOf.get(prepared[at] ?? noLane(at)))));
    const repeatedIds = inserted.flatMap((one) => ('done' in one && one.done.kind === 'repeated' ? [one.done.runId] : []));
    const repeated = new Map(
      (repeatedIds.length > 0 ? await this.views.findMany([...new Set(repeatedIds)]) : []).map((run) => [run.id, run]),
    );
    const created: PreparedRun[] = [];
    const outcomes = new Map<PreparedRun, Outcome<StartedRun>>();
    prepared.forEach((one, at) => {
      const result = inserted[at];
      if (!result || 'error' in result) outcomes.set(one, { error: result?.error });
      else if (result.done.kind === 'created') {
        created.push(one);
        outcomes.set(one, { answer: { run: summaryOf(one.place, one.run, result.done.createdAt), repeated: false } });
      } else {
        const run = repeated.get(result.done.runId);
        outcomes.set(one, run ? { answer: { run, repeated: true } } : { error: mismatch(result.done) });
      }
    });
    this.tell(created);
    return outcomes;
  }

  /** After the commit: wakes the schedulers, and leaves one line for each place that runs went to. */
  private tell(created: readonly PreparedRun[]): void {
    if (created.length === 0) return;
    this.wakeups.submitted(created.length);
    const byPlace = Map.groupBy(created, ({ run }) => run.target);
    for (const [target, runs] of byPlace) {
      const { matchedBy, environment, team } = target;
      this.metrics.deploymentSelected(matchedBy, environment, team, runs.length);
      const [{ place } = noLane(0)] = runs;
      const { deployment, tried } = place.resolution;
      const selected = {
        workflowId: target.workflowId,
        workflow: place.workflow.name,
        environment,
        team,
        tier: matchedBy,
        tried,
        deployment: deployment.name,
        deploymentId: deployment.id,
        pool: deployment.pool,
        count: runs.length,
      };
      this.logger.info(selected, 'deployment selected');
      // Each run's row tells its deployment and tier: a line with every id is for whoever looks for a fault.
      if (this.logger.isLevelEnabled('debug'))
        this.logger.debug({ workflowId: target.workflowId, runs: runs.map(({ run }) => run.id) }, 'runs created');
    }
  }
}

function outcomeOf({ run, place }: PreparedRun, inserted: Inserted<Date> | undefined): Outcome<StartedRun> {
  if (!inserted || 'error' in inserted) return { error: inserted?.error };
  return { answer: { run: summaryOf(place, run, inserted.done), repeated: false } };
}

/** The key counts per workflow; the body is the input. */
function keyedOf(run: NewRun, request: StartRequest | undefined): KeyedRun {
  if (!request || request.idempotencyKey === null) return noLane(0);
  const bodyHash = createHash('sha256').update(request.inputJson).digest();
  return { ...run, scope: `workflow:${request.workflowId}`, key: request.idempotencyKey, bodyHash };
}

function mismatch({ runId }: Exclude<KeyedOutcome, { kind: 'created' }>): DomainError {
  return new DomainError(
    'run.idempotency_mismatch',
    'The idempotency key was used with another input.',
    { runId },
    'Use a new key for a new input; details.runId is the run that the key stands for.',
  );
}

function noLane(at: number): never {
  throw new DomainError('invariant.broken', 'A group and its lane do not fit.', { at }, null, 'bug');
}
