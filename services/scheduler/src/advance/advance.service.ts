import { DomainError, changesSomething, isTerminalRun, type EventVerdict, type RunEvent } from '#core';
import type { DecisionWriter, HotTransaction, RunHead } from '#store';
import type { DecisionMaker, MadeDecision } from './decision-maker.ts';
import type { TaskSender } from './task-sender.ts';
import type { AdvanceMetrics } from './advance-metrics.ts';
import { isOutage } from './outage.ts';

/** Rounds in which events whose run was changed meanwhile are decided again. Beyond, they are delivered again. */
const ROUNDS_MAX = 20;
/** Moves of steps in one transaction, so that it ends long before its statements' timeout; a single run's stay together. */
const STEP_MOVES_MAX = 20_000;

/** What became of the events of one advance. */
export interface Advanced {
  /** What became of each event; `later` never stands here. Runs that have ended: `settled`. Missing: refused, or an admission that lost its place. */
  readonly verdicts: ReadonlyMap<RunEvent, EventVerdict>;
  /** Runs about which no decision could be made, or whose decision the database refused, with the reason: a bug, or corrupted rows. Nothing of them was written. */
  readonly refused: ReadonlyMap<string, string>;
}

/** What a change means to the leader. `due`: a run went back to the queue, or a timer was set; `place`: no more than that a place became free. */
export type LeaderWork = 'due' | 'place' | 'none';

/** Hears of runs that changed, after the commit. */
export type OnRunsChanged = (runIds: readonly string[], work: LeaderWork) => void;

/**
 * The one way in which runs move on. Any number of schedulers may advance the same runs: each decision is written only on the `rev` it was
 * made on, and what lost its race is decided again.
 */
export class AdvanceService {
  private readonly listeners: OnRunsChanged[] = [];

  constructor(
    private readonly maker: DecisionMaker,
    private readonly writer: DecisionWriter,
    private readonly tasks: TaskSender,
    private readonly metrics: AdvanceMetrics,
  ) {}

  onRunsChanged(listener: OnRunsChanged): void {
    this.listeners.push(listener);
  }

  /**
   * Applies events to their runs and sends what became ready. `admit` runs first in the writing transaction and names the runs that may be
   * written. `known`: runs of these that were read just now. Throws an outage when the database cannot be reached: nothing is lost by calling again.
   */
  async advance(
    events: ReadonlyMap<string, readonly RunEvent[]>,
    admit?: (tx: HotTransaction) => Promise<ReadonlySet<string>>,
    known: readonly RunHead[] = [],
  ): Promise<Advanced> {
    const verdicts = new Map<RunEvent, EventVerdict>();
    const refused = new Map<string, string>();
    let open = new Map(events);
    for (let round = 0; open.size > 0; round += 1) {
      if (round === ROUNDS_MAX) {
        throw new DomainError(
          'advance.contended',
          'Runs changed faster than decisions about them were written.',
          { runs: open.size },
          null,
          'outage',
        );
      }
      const { made, changed, broken } = await this.maker.decide(open, round === 0 ? known : []);
      for (const [runId, reason] of broken) refused.set(runId, reason);
      const written = await this.write(made, admit, refused);
      open = this.remaining(open, made, changed, written, verdicts, refused, admit !== undefined);
    }
    return { verdicts, refused };
  }

  private async write(
    made: readonly MadeDecision[],
    admit: ((tx: HotTransaction) => Promise<ReadonlySet<string>>) | undefined,
    refused: Map<string, string>,
  ): Promise<ReadonlySet<string>> {
    const written = new Set<string>();
    for (const portion of portionsOf(made.filter(({ decision }) => changesSomething(decision))))
      for (const runId of await this.writePortion(portion, admit, refused)) written.add(runId);
    return written;
  }

  private async writePortion(
    changing: readonly MadeDecision[],
    admit: ((tx: HotTransaction) => Promise<ReadonlySet<string>>) | undefined,
    refused: Map<string, string>,
  ): Promise<ReadonlySet<string>> {
    const began = performance.now();
    const written = await this.writeApart(changing, admit, refused);
    const committed = changing.filter(({ decision }) => written.has(decision.runId));
    const lost = changing.filter(({ decision }) => !written.has(decision.runId) && !refused.has(decision.runId));
    this.metrics.written(
      committed.map(({ decision }) => decision),
      (performance.now() - began) / 1000,
    );
    this.metrics.lost(lost.map(({ decision }) => decision));
    await this.tasks.send(committed);
    this.tell(committed);
    return written;
  }

  /** One bad row must not sink the others: a batch that the database refuses is halved until the guilty run stands alone. */
  private async writeApart(
    made: readonly MadeDecision[],
    admit: ((tx: HotTransaction) => Promise<ReadonlySet<string>>) | undefined,
    refused: Map<string, string>,
  ): Promise<Set<string>> {
    try {
      return await this.writer.write(made, admit);
    } catch (error) {
      if (isOutage(error)) throw error;
      const [first] = made;
      if (made.length === 1 && first) {
        refused.set(first.decision.runId, error instanceof Error ? error.message : String(error));
        return new Set();
      }
      const half = Math.ceil(made.length / 2);
      const one = await this.writeApart(made.slice(0, half), admit, refused);
      const other = await this.writeApart(made.slice(half), admit, refused);
      return one.union(other);
    }
  }

  /** Notes the verdicts of what is done; returns what is to be decided again. */
  private remaining(
    open: ReadonlyMap<string, readonly RunEvent[]>,
    made: readonly MadeDecision[],
    changed: ReadonlySet<string>,
    written: ReadonlySet<string>,
    verdicts: Map<RunEvent, EventVerdict>,
    refused: ReadonlyMap<string, string>,
    admitting: boolean,
  ): Map<string, readonly RunEvent[]> {
    const again = new Map<string, readonly RunEvent[]>();
    const byRun = new Map(made.map((one) => [one.decision.runId, one.decision]));
    for (const [runId, events] of open) {
      const decision = byRun.get(runId);
      if (refused.has(runId)) continue;
      else if (changed.has(runId)) {
        if (!admitting) again.set(runId, events);
      } else if (!decision) for (const event of events) verdicts.set(event, 'settled');
      else if (written.has(runId) || !changesSomething(decision)) {
        const later = events.filter((_event, at) => decision.verdicts[at] === 'later');
        events.forEach((event, at) => verdicts.set(event, decision.verdicts[at] ?? 'ignored'));
        if (later.length > 0) again.set(runId, later);
        // An admission that found no place, or lost its race, is not repeated here: the next one looks at fresh queues.
      } else if (!admitting) again.set(runId, events);
    }
    return again;
  }

  private tell(committed: readonly MadeDecision[]): void {
    if (committed.length === 0) return;
    const placeFreed = committed.some(
      ({ run, decision }) =>
        run.head.state === 'RUNNING' &&
        decision.runMove !== null &&
        (isTerminalRun(decision.runMove.enters) || decision.runMove.enters === 'WAITING'),
    );
    const queued = committed.some(({ decision }) => decision.runMove?.enters === 'QUEUED' && decision.runMove.leaves === 'WAITING');
    const timed = committed.some(({ decision }) => decision.timersSet.length > 0);
    const runIds = committed.map(({ decision }) => decision.runId);
    const work = queued || timed ? 'due' : placeFreed ? 'place' : 'none';
    for (const listener of this.listeners) listener(runIds, work);
  }
}

function portionsOf(made: readonly MadeDecision[]): MadeDecision[][] {
  const portions: MadeDecision[][] = [];
  let moves = Infinity;
  for (const one of made) {
    moves += one.decision.stepMoves.length;
    if (moves <= STEP_MOVES_MAX) portions.at(-1)?.push(one);
    else {
      portions.push([one]);
      moves = one.decision.stepMoves.length;
    }
  }
  return portions;
}
