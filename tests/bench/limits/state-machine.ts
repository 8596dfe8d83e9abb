import { randomUUID } from 'node:crypto';
import type { RunDecision, StepMove } from '#core';
import {
  DecisionWriter,
  HotConnection,
  readEpoch,
  submitRuns,
  takeRunIds,
  type NewRun,
  type RunTarget,
  type WritableDecision,
} from '#store';
import { figureOf, type Figure } from '../figures.ts';
import type { Ledger } from '../flowforge/audit.ts';
import { singleStep } from '../flowforge/definitions.ts';
import { targetOf } from '../flowforge/target.ts';
import type { World } from '../flowforge/world.ts';
import { Meter } from '../measure/meter.ts';

const LANES = 4;
const BATCH = 500;
const TRANSITIONS_PER_RUN = 6;
const ACTOR = 'bench';

/**
 * P9: audited transitions by the statements of the engine on its real schema, in batches of 500 over 4 lanes, without HTTP, Redis and
 * decisions: runs are inserted, begun and ended. Processor time of the server and of the sender.
 */
export async function measureStateMachine(world: World, ledger: Ledger, seconds: number): Promise<Figure> {
  const target = await targetOf(world, await world.stack.api.apply(singleStep()));
  return await world.withSchedulerPaused(async () => {
    const lanes = await Promise.all(Array.from({ length: LANES }, () => Lane.open(world, target)));
    const meter = Meter.begin({ postgres: world.servers.postgres.pid }, { own: true });
    const until = performance.now() + seconds * 1000;
    const runs = (await Promise.all(lanes.map((lane) => lane.work(until)))).reduce((sum, count) => sum + count, 0);
    const metered = meter.end();
    await Promise.all(lanes.map((lane) => lane.close()));
    ledger.submitted(runs, 1);
    const transitions = runs * TRANSITIONS_PER_RUN;
    return figureOf('limit', 'state-machine', transitions, metered, { transitionsPerSecond: transitions / metered.seconds });
  });
}

/** One sender with a connection of each role. */
class Lane {
  private constructor(
    private readonly api: HotConnection,
    private readonly scheduler: HotConnection,
    private readonly target: RunTarget,
    private readonly epoch: number,
  ) {}

  static async open(world: World, target: RunTarget): Promise<Lane> {
    const scheduler = new HotConnection(world.database.schedulerUrl, 'bench');
    return new Lane(new HotConnection(world.database.apiUrl, 'bench'), scheduler, target, await readEpoch(scheduler));
  }

  /** Batch after batch until the moment. Returns the number of runs. */
  async work(until: number): Promise<number> {
    const writer = new DecisionWriter(this.scheduler, this.epoch);
    let runs = 0;
    while (performance.now() < until) {
      const ids = await takeRunIds(this.api, BATCH);
      await submitRuns(
        this.api,
        ids.map((id) => this.newRun(id)),
      );
      await writer.write(ids.map((id) => this.begin(id)));
      await writer.write(ids.map((id) => this.end(id)));
      runs += BATCH;
    }
    return runs;
  }

  async close(): Promise<void> {
    await Promise.all([this.api.close(), this.scheduler.close()]);
  }

  private newRun(id: string): NewRun {
    return { id, target: this.target, inputJson: '{}', actor: ACTOR, retryOf: null, concurrencyKey: null, reason: null };
  }

  private begin(runId: string): WritableDecision {
    return writable({
      ...nothing(runId, 1),
      runMove: { leaves: 'CREATED', via: null, enters: 'RUNNING', version: 2, causeId: randomUUID(), actor: ACTOR, reason: null },
      stepMoves: [{ ...this.stepMove(), leaves: 'PENDING', via: null, enters: 'DISPATCHED', version: 1, startedMsAgo: null }],
      live: { phase: 'running', remaining: 1, active: 1, waiting: 0, failed: false },
    });
  }

  private end(runId: string): WritableDecision {
    return writable({
      ...nothing(runId, 2),
      runMove: { leaves: 'RUNNING', via: null, enters: 'SUCCEEDED', version: 3, causeId: randomUUID(), actor: ACTOR, reason: null },
      stepMoves: [{ ...this.stepMove(), leaves: 'DISPATCHED', via: 'RUNNING', enters: 'SUCCEEDED', version: 3, startedMsAgo: 0 }],
      live: null,
    });
  }

  private stepMove(): Omit<StepMove, 'leaves' | 'via' | 'enters' | 'version' | 'startedMsAgo'> {
    return { no: 1, epoch: this.epoch, dispatchNo: 1, attempt: 1, workerLosses: 0, causeId: randomUUID(), actor: ACTOR, reason: null };
  }
}

function writable(decision: RunDecision): WritableDecision {
  return { decision, retryOf: null, stepOf: () => ({ name: 'only', timeoutSeconds: 300 }) };
}

function nothing(runId: string, rev: number): Omit<RunDecision, 'runMove' | 'stepMoves' | 'live'> {
  return {
    kind: 'decided',
    runId,
    rev,
    results: [],
    waitsBegun: [],
    waitsLowered: [],
    timersSet: [],
    timersCleared: [],
    reused: [],
    dispatches: [],
    dropped: [],
    verdicts: [],
  };
}
