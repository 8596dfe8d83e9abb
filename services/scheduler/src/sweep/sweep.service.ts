import { randomUUID } from 'node:crypto';
import { TaskMessage, groups, streams } from '#contracts';
import type { RunEvent } from '#core';
import type { SweepReader, UnheldStep, WorkerSessions } from '#store';
import type { Logger, Metrics } from '#telemetry';
import type { StreamTransport } from '#transport';
import type { AdvanceService } from '../advance/advance.service.ts';
import type { DeploymentDirectory } from '../deployments/deployment-directory.ts';

/** Most rows that one look takes; a full look is followed by another at once. */
const SWEEP_ROWS_MAX = 1_000;
/**
 * Unheld steps that one sweep reads: as many as a stream may hold entries, since those that wait for their turn come first and must hide none.
 * What lies beyond has its turn when those before it move.
 */
const UNHELD_MAX = 100_000;
/** Entries at the head of a task stream that a sweep compares with the rows. */
const WAITING_HEAD_MAX = 4_000;

export interface SweepTimes {
  readonly leaseSeconds: number;
  readonly heartbeatSeconds: number;
}

/**
 * Compares the rows with who holds them, and moves on what has come to a stop: timers, cancels, deadlines, lost workers, lost messages, steps
 * beyond their timeout. Safe to run in several schedulers at once: every finding goes through the same decision as a report.
 */
export class SweepService {
  private readonly found;
  /** Since when steps have been seen nowhere, on this process's own clock. */
  private suspects: ReadonlyMap<string, number> = new Map();
  private hurryUntil = 0;

  constructor(
    private readonly reader: SweepReader,
    private readonly sessions: WorkerSessions,
    private readonly advance: AdvanceService,
    private readonly transport: StreamTransport,
    private readonly deployments: DeploymentDirectory,
    private readonly times: SweepTimes,
    private readonly logger: Logger,
    metrics: Metrics,
  ) {
    this.found = metrics.counter({
      name: 'flowforge_sweep_found_total',
      help: 'What sweeps found and moved on, by kind.',
      labels: ['kind'],
    });
  }

  /**
   * Fires due timers and ends cancelled and overdue runs: all, or as many as come until a moment of `performance.now()`. Cheap: meant for
   * every wake-up. Returns whether any timer could be fired.
   */
  async fireDue(until = Infinity): Promise<boolean> {
    const fired = await this.repeat('timer', until, async () => {
      const due = await this.reader.dueTimers(SWEEP_ROWS_MAX);
      return due.map(({ runId, stepNo, kind }) => [
        runId,
        { kind: kind === 'delay' ? 'delay_over' : 'retry_due', stepNo, ...cause('timer') },
      ]);
    });
    await this.repeat('end', until, async () => {
      const ending = await this.reader.runsToEnd(SWEEP_ROWS_MAX);
      return ending.map(({ runId, why }) => [runId, { kind: why, ...cause(why) }]);
    });
    return fired;
  }

  /** Milliseconds until the next timer; null: none is set. */
  nextTimerInMs(): Promise<number | null> {
    return this.reader.nextTimerInMs();
  }

  /** Looks for steps that nobody holds. `emptied`: Redis lost everything, so that what is not held is believed to be lost sooner. */
  async sweep(emptied: boolean): Promise<void> {
    if (emptied) this.hurryUntil = performance.now() + this.times.leaseSeconds * 2_000;
    const patience = performance.now() < this.hurryUntil ? this.times.heartbeatSeconds * 2 : this.times.leaseSeconds;
    const lost = await this.lostOnes(await this.reader.unheld(patience, UNHELD_MAX), patience * 1_000);
    if (lost.length > 0) this.logger.warn({ count: lost.length, emptied }, 'steps that nobody holds are sent again');
    for (let at = 0; at < lost.length; at += SWEEP_ROWS_MAX) {
      const chunk = lost.slice(at, at + SWEEP_ROWS_MAX);
      // failpoint p8: these steps are known to be lost, and none of them is on its way again
      await this.move(
        'unheld',
        chunk.map((step) => [step.runId, { kind: 'lost', stepNo: step.stepNo, token: step, was: knownOf(step), ...cause('sweep') }]),
      );
    }
    await this.repeat('overdue', Infinity, async () => {
      const overdue = await this.reader.overdue(this.times.leaseSeconds, SWEEP_ROWS_MAX);
      return overdue.map((step) => [step.runId, { kind: 'overdue', stepNo: step.stepNo, token: step, ...cause('sweep') }]);
    });
    await this.sessions.leave([], this.times.leaseSeconds * 30);
  }

  /**
   * Of the steps that no living session holds, those that are lost. One whose session's lease ran out is lost for certain, unless heartbeats
   * wait to be read: then its worker may live, and it was us who were away. Any other may wait in its stream for its turn; or have been taken
   * since its worker's last heartbeat; or have ended, its report being on the way. So it is lost only when it was seen nowhere for
   * `patienceMs`, beyond the age of the oldest report that waits or that a scheduler could not write yet.
   */
  private async lostOnes(unheld: readonly UnheldStep[], patienceMs: number): Promise<UnheldStep[]> {
    const now = performance.now();
    const suspects = new Map<string, number>();
    const lost: UnheldStep[] = [];
    for (const [deploymentId, steps] of Map.groupBy(unheld, (step) => step.deploymentId)) {
      const leasesCount = steps.some((step) => step.wasHeld) && (await this.hearsWorkers(deploymentId));
      const certain = steps.filter((step) => step.wasHeld && leasesCount);
      const unsure = steps.filter((step) => !step.wasHeld || !leasesCount);
      const missing = unsure.length > 0 ? await this.missingFrom(deploymentId, unsure) : { steps: [], reportsMs: 0 };
      for (const step of missing.steps) suspects.set(keyOf(step), this.suspects.get(keyOf(step)) ?? now);
      const gone = missing.steps.filter((step) => now - (suspects.get(keyOf(step)) ?? now) >= patienceMs + missing.reportsMs);
      lost.push(...certain, ...gone);
    }
    this.suspects = suspects;
    return lost;
  }

  /** Whether the heartbeats of a deployment are read as they come: whoever beats in time would have renewed its lease. */
  private async hearsWorkers(deploymentId: string): Promise<boolean> {
    const heartbeats = streams.heartbeats(await this.deployments.nameOf(deploymentId));
    const { pending, oldestWaitingMs } = await this.transport.depth(heartbeats, groups.schedulers);
    const { leaseSeconds, heartbeatSeconds } = this.times;
    return pending === 0 && (oldestWaitingMs ?? 0) <= Math.max(0, leaseSeconds - 2 * heartbeatSeconds) * 1_000;
  }

  /** Those of the steps that do not wait in their deployment's stream, and the age of the deployment's oldest report that is not written. */
  private async missingFrom(deploymentId: string, steps: readonly UnheldStep[]): Promise<{ steps: UnheldStep[]; reportsMs: number }> {
    const deployment = await this.deployments.nameOf(deploymentId);
    const waiting = await this.waitingIn(deployment);
    const reports = await this.transport.depth(streams.reports(deployment), groups.schedulers);
    // Streams and rows are in the order of dispatch: beyond the last step that stands in a partly read head nothing is known.
    const lastKnown = waiting.whole ? steps.length : steps.findLastIndex((step) => waiting.keys.has(keyOf(step)));
    return {
      steps: steps.slice(0, lastKnown + 1).filter((step) => !waiting.keys.has(keyOf(step))),
      reportsMs: reports.oldestMs ?? 0,
    };
  }

  private async waitingIn(deployment: string): Promise<{ keys: Set<string>; whole: boolean }> {
    const head = await this.transport.waitingHead(streams.tasks(deployment), groups.workers, WAITING_HEAD_MAX);
    const keys = new Set(head.flatMap(({ body }) => keyOfTask(body)));
    return { keys, whole: head.length < WAITING_HEAD_MAX };
  }

  /** Advances what `look` finds, and looks again while it finds as much as it may take. Returns whether anything moved. */
  private async repeat(kind: string, until: number, look: () => Promise<[string, RunEvent][]>): Promise<boolean> {
    for (let any = false; ; any = true) {
      const found = await look();
      const moved = found.length > 0 && (await this.move(kind, found));
      if (!moved || found.length < SWEEP_ROWS_MAX / 2 || performance.now() >= until) return any || moved;
    }
  }

  /** Returns whether anything moved. */
  private async move(kind: string, found: readonly [string, RunEvent][]): Promise<boolean> {
    this.found.inc({ kind }, found.length);
    const events = Map.groupBy(found, ([runId]) => runId);
    const { verdicts, refused } = await this.advance.advance(
      new Map([...events].map(([runId, list]) => [runId, list.map(([, event]) => event)])),
    );
    for (const [runId, reason] of refused) this.logger.error({ runId, reason, kind }, 'the database refused the transitions of a run');
    return [...verdicts.values()].includes('applied');
  }
}

function cause(by: string): { causeId: string; actor: string } {
  return { causeId: randomUUID(), actor: `scheduler:${by}` };
}

/** What is known of the worker that had the step. */
function knownOf({ state, wasHeld, wasBegun }: UnheldStep): 'begun' | 'held' | 'unseen' {
  if (state === 'RUNNING' || wasBegun) return 'begun';
  return wasHeld ? 'held' : 'unseen';
}

function keyOf(step: { runId: string; stepNo: number; dispatchNo: number }): string {
  return `${step.runId} ${step.stepNo} ${step.dispatchNo}`;
}

function keyOfTask(body: string): string[] {
  try {
    const task = TaskMessage.safeParse(JSON.parse(body)).data;
    return task ? [keyOf(task)] : [];
  } catch {
    return [];
  }
}
