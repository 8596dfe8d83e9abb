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
    this.found = metrics.counter({ name: 'flowforge_sweep_found_total', help: 'What sweeps found and moved on, by kind.', labels: ['kind'] });
  }

  /** Fires due timers and ends cancelled and overdue runs. Cheap: meant for every wake-up. */
  async fireDue(): Promise<void> {
    await this.repeat('timer', async () => {
      const due = await this.reader.dueTimers(SWEEP_ROWS_MAX);
      return due.map(({ runId, stepNo, kind }) => [runId, { kind: kind === 'delay' ? 'delay_over' : 'retry_due', stepNo, ...cause('timer') }]);
    });
    await this.repeat('end', async () => {
      const ending = await this.reader.runsToEnd(SWEEP_ROWS_MAX);
      return ending.map(({ runId, why }) => [runId, { kind: why, ...cause(why) }]);
    });
  }

  /** Milliseconds until the next timer; null: none is set. */
  nextTimerInMs(): Promise<number | null> {
    return this.reader.nextTimerInMs();
  }

  /** Looks for steps that nobody holds. `emptied`: Redis lost everything, so what is not held has to be sent again without waiting. */
  async sweep(emptied: boolean): Promise<void> {
    const quiet = emptied ? this.times.heartbeatSeconds * 2 : this.times.leaseSeconds;
    await this.repeat('unheld', async () => {
      const unheld = await this.reader.unheld(quiet, SWEEP_ROWS_MAX);
      const lost = await this.lostOnes(unheld);
      if (lost.length > 0) this.logger.warn({ count: lost.length, emptied }, 'steps that nobody holds are sent again');
      return lost.map((step) => [
        step.runId,
        { kind: 'lost', stepNo: step.stepNo, token: step, counts: step.wasHeld || step.state === 'RUNNING', ...cause('sweep') },
      ]);
    });
    await this.repeat('overdue', async () => {
      const overdue = await this.reader.overdue(this.times.leaseSeconds, SWEEP_ROWS_MAX);
      return overdue.map((step) => [step.runId, { kind: 'overdue', stepNo: step.stepNo, token: step, ...cause('sweep') }]);
    });
    await this.sessions.leave([], this.times.leaseSeconds * 30);
  }

  /** A DISPATCHED step that no worker ever held may still wait in its stream: then it is not lost, its turn has just not come. */
  private async lostOnes(unheld: readonly UnheldStep[]): Promise<UnheldStep[]> {
    const lost: UnheldStep[] = [];
    for (const [deploymentId, steps] of Map.groupBy(unheld, (step) => step.deploymentId)) {
      const unsure = steps.filter((step) => step.state === 'DISPATCHED' && !step.wasHeld);
      const waiting = unsure.length > 0 ? await this.waitingIn(deploymentId) : { keys: new Set<string>(), whole: true };
      // Streams and rows are in the order of dispatch: beyond the last step that stands in a partly read head nothing is known.
      const lastKnown = waiting.whole ? unsure.length : unsure.findLastIndex((step) => waiting.keys.has(keyOf(step)));
      const gone = unsure.slice(0, lastKnown + 1).filter((step) => !waiting.keys.has(keyOf(step)));
      lost.push(...steps.filter((step) => !unsure.includes(step)), ...gone);
    }
    return lost;
  }

  private async waitingIn(deploymentId: string): Promise<{ keys: Set<string>; whole: boolean }> {
    const stream = streams.tasks(await this.deployments.nameOf(deploymentId));
    const head = await this.transport.waitingHead(stream, groups.workers, WAITING_HEAD_MAX);
    const keys = new Set(head.flatMap(({ body }) => keyOfTask(body)));
    return { keys, whole: head.length < WAITING_HEAD_MAX };
  }

  /** Advances what `look` finds, and looks again while it finds as much as it may take. */
  private async repeat(kind: string, look: () => Promise<[string, RunEvent][]>): Promise<void> {
    for (let full = true; full; ) {
      const found = await look();
      if (found.length === 0) return;
      this.found.inc({ kind }, found.length);
      const events = Map.groupBy(found, ([runId]) => runId);
      const { verdicts, refused } = await this.advance.advance(new Map([...events].map(([runId, list]) => [runId, list.map(([, event]) => event)])));
      for (const [runId, reason] of refused) this.logger.error({ runId, reason, kind }, 'the database refused the transitions of a run');
      const moved = [...verdicts.values()].includes('applied');
      full = moved && found.length >= SWEEP_ROWS_MAX / 2;
    }
  }
}

function cause(by: string): { causeId: string; actor: string } {
  return { causeId: randomUUID(), actor: `scheduler:${by}` };
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
