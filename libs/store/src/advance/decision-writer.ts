import { DomainError, type RunDecision, type RunMove } from '#core';
import type { HotConnection, HotTransaction } from '../hot-connection.ts';
import { isSqlState } from '../roles.ts';
import { statement, type Statement } from '../statement.ts';

const SAME_EPOCH = statement('same_epoch');
const LIVE_LOCK = statement('live_lock');
const STEPS_BEGIN = statement('steps_begin');
const STEPS_MOVE = statement('steps_move');
const RUNS_MOVE = statement('runs_move');
const RESULTS_WRITE = statement('results_write');
const OUTPUTS_REUSE = statement('outputs_reuse');
const WAITS_BEGIN = statement('waits_begin');
const WAITS_LOWER = statement('waits_lower');
const TIMERS_SET = statement('timers_set');
const TIMERS_CLEAR = statement('timers_clear');
const LIVE_WRITE = statement('live_write');
const LIVE_END = statement('live_end');

/** States from which a run starts: its own move comes before those of its first steps. */
const STARTS_FROM: ReadonlySet<string> = new Set(['CREATED', 'QUEUED']);

interface Written {
  run_id: string;
}

/** A decision with what its rows need beside it. */
export interface WritableDecision {
  readonly decision: RunDecision;
  /** Name and timeout of a step of the plan. */
  readonly stepOf: (no: number) => { readonly name: string; readonly timeoutSeconds: number };
  readonly retryOf: string | null;
}

/**
 * Writes decisions about any number of runs in one transaction and one round trip. A decision is written whole, or not at all because the run
 * was changed meanwhile (its rev moved).
 */
export class DecisionWriter {
  /** `epoch`: that of the database on which the decisions are made. */
  constructor(
    private readonly connection: HotConnection,
    private readonly epoch: number,
  ) {}

  /**
   * `before` runs first in the same transaction and says which of the runs may still be written (admission counts its places there).
   * Returns the ids of the runs that were written. Throws the database's error, with nothing written, when one row is refused, and
   * `epoch.changed` when the database has another epoch than these decisions: it was restored or replaced meanwhile.
   */
  async write(decisions: readonly WritableDecision[], before?: (tx: HotTransaction) => Promise<ReadonlySet<string>>): Promise<Set<string>> {
    try {
      return await this.connection.transaction(async (tx) => {
        const allowed = await before?.(tx);
        const writable = allowed ? decisions.filter(({ decision }) => allowed.has(decision.runId)) : decisions;
        if (writable.length === 0) return new Set();
        const written = writeAll(tx, writable, this.epoch);
        // failpoint p7: the moves are about to leave, and their commit with them
        tx.commitBehind();
        return await written;
      });
    } catch (error) {
      throw isSqlState(error, 'FF007') ? epochChanged(this.epoch) : error;
    }
  }
}

async function writeAll(tx: HotTransaction, decisions: readonly WritableDecision[], epoch: number): Promise<Set<string>> {
  const batch = new Batch(tx, decisions);
  const all = decisions.map(({ decision }) => decision);
  const ending = all.filter((decision) => decision.live === null);
  const living = all.filter((decision) => decision.live !== null);
  const here = tx.query(SAME_EPOCH, [epoch]);
  const locked = batch.send(LIVE_LOCK, all, (decision) => [decision.runId, decision.rev], 2);
  // In the order in which it happened: steps end, runs start, steps begin, runs end.
  const steps = batch.stepsMove();
  const starting = batch.runsMove((move) => STARTS_FROM.has(move.leaves));
  const begun = batch.stepsBegin();
  const others = batch.runsMove((move) => !STARTS_FROM.has(move.leaves));
  const extras = batch.extras();
  const written = batch.send(LIVE_WRITE, living, liveValues, 7);
  const ended = batch.send(LIVE_END, ending, (decision) => [decision.runId, decision.rev], 2);
  const results = await Promise.allSettled([here, locked, steps, starting, begun, others, ...extras, written, ended]);
  // After a refusal the rest of the transaction fails too (25P02): the first error is the cause.
  const refused = results.find((result) => result.status === 'rejected');
  if (refused) throw refused.reason;
  return new Set([...(await written), ...(await ended)].map((row) => row.run_id));
}

function epochChanged(decidedIn: number): DomainError {
  const message = 'The database was restored or replaced; this scheduler has to begin anew.';
  return new DomainError('epoch.changed', message, { decidedIn }, null, 'outage');
}

function liveValues(decision: RunDecision): unknown[] {
  const { live } = decision;
  if (!live) throw new DomainError('invariant.broken', 'An ended run has no live row to write.', { run: decision.runId }, null, 'bug');
  return [decision.runId, decision.rev, live.phase, live.remaining, live.active, live.waiting, live.failed];
}

/** Turns the parts of many decisions into column arrays, one statement per kind of change. */
class Batch {
  constructor(
    private readonly tx: HotTransaction,
    private readonly decisions: readonly WritableDecision[],
  ) {}

  /** Sends one statement whose parameters are the columns of these rows; nothing when there are none. */
  send<Item>(sql: Statement, items: readonly Item[], toRow: (item: Item) => readonly unknown[], width: number): Promise<Written[]> {
    if (items.length === 0) return Promise.resolve([]);
    const columns: unknown[][] = Array.from({ length: width }, () => []);
    for (const item of items) toRow(item).forEach((value, at) => columns[at]?.push(value));
    return this.tx.query<Written>(sql, columns);
  }

  stepsBegin(): Promise<Written[]> {
    const begun = this.decisions.flatMap(({ decision, stepOf }) =>
      decision.stepMoves.filter((move) => move.leaves === 'PENDING').map((move) => ({ decision, move, step: stepOf(move.no) })),
    );
    return this.send(
      STEPS_BEGIN,
      begun,
      ({ decision, move, step }) => [
        ...[decision.runId, decision.rev, move.no, step.name, move.enters, move.epoch, move.dispatchNo, move.attempt],
        ...[step.timeoutSeconds, move.causeId, move.actor, move.reason],
      ],
      12,
    );
  }

  stepsMove(): Promise<Written[]> {
    const moved = this.decisions.flatMap(({ decision }) =>
      decision.stepMoves.filter((move) => move.leaves !== 'PENDING').map((move) => ({ decision, move })),
    );
    return this.send(
      STEPS_MOVE,
      moved,
      ({ decision, move }) => [
        ...[decision.runId, decision.rev, move.no, move.leaves, move.via, move.enters, move.version, move.epoch, move.dispatchNo],
        ...[move.attempt, move.workerLosses, move.causeId, move.actor, move.reason, move.startedMsAgo],
      ],
      15,
    );
  }

  runsMove(which: (move: RunMove) => boolean): Promise<Written[]> {
    const moved = this.decisions.flatMap(({ decision }) =>
      decision.runMove && which(decision.runMove) ? [{ decision, move: decision.runMove }] : [],
    );
    return this.send(
      RUNS_MOVE,
      moved,
      ({ decision, move }) => [
        ...[decision.runId, decision.rev, move.leaves, move.via, move.enters, move.version, move.causeId, move.actor, move.reason],
      ],
      9,
    );
  }

  /** What most batches do not have: results, joins, timers, steps taken over. */
  extras(): Promise<Written[]>[] {
    const results = this.eachOf((decision) => decision.results);
    const begun = this.eachOf((decision) => decision.waitsBegun);
    const lowered = this.eachOf((decision) => decision.waitsLowered);
    const set = this.eachOf((decision) => decision.timersSet);
    const cleared = this.eachOf((decision) => decision.timersCleared);
    const reused = this.decisions.flatMap(({ decision, retryOf }) =>
      decision.reused.map((no) => [decision.runId, decision.rev, retryOf, no]),
    );
    return [
      this.send(RESULTS_WRITE, results, ([d, r]) => [d.runId, d.rev, r.no, jsonOrNull(r.output), jsonOrNull(r.error)], 5),
      this.send(OUTPUTS_REUSE, reused, (row) => row, 4),
      this.send(WAITS_BEGIN, begun, ([d, w]) => [d.runId, d.rev, w.no, w.unmet], 4),
      this.send(WAITS_LOWER, lowered, ([d, w]) => [d.runId, d.rev, w.no, w.by], 4),
      this.send(
        TIMERS_SET,
        set,
        ([d, t]) => [d.runId, d.rev, t.no, t.kind, 'inMs' in t.due ? t.due.inMs : null, 'atMs' in t.due ? t.due.atMs : null],
        6,
      ),
      this.send(TIMERS_CLEAR, cleared, ([d, t]) => [d.runId, d.rev, t.no, t.kind], 4),
    ];
  }

  private eachOf<Part>(partsOf: (decision: RunDecision) => readonly Part[]): (readonly [RunDecision, Part])[] {
    return this.decisions.flatMap(({ decision }) => partsOf(decision).map((part) => [decision, part] as const));
  }
}

function jsonOrNull(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value);
}
