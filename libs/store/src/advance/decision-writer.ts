import { DomainError, type RunDecision, type RunMove, type StepMove } from '#core';
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
  const here = tx.query(SAME_EPOCH, [epoch]);
  const locked = batch.liveLock();
  // In the order in which it happened: steps end, runs start, steps begin, runs end.
  const steps = batch.stepsMove();
  const starting = batch.runsMove((move) => STARTS_FROM.has(move.leaves));
  const begun = batch.stepsBegin();
  const others = batch.runsMove((move) => !STARTS_FROM.has(move.leaves));
  const extras = batch.extras();
  const written = batch.liveWrite();
  const ended = batch.liveEnd();
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

/** Value of one parameter for one item of a statement. */
type Column<Item> = (item: Item) => unknown;

/** A part of a decision with the decision that it belongs to. */
interface Owned<Part> {
  readonly decision: RunDecision;
  readonly part: Part;
}

interface OwnedStep extends Owned<StepMove> {
  readonly step: { readonly name: string; readonly timeoutSeconds: number };
}

interface Living {
  readonly decision: RunDecision;
  readonly live: NonNullable<RunDecision['live']>;
}

const ON_REV: readonly Column<{ readonly decision: RunDecision }>[] = [({ decision }) => decision.runId, ({ decision }) => decision.rev];

const STEP_BEGIN: readonly Column<OwnedStep>[] = [
  ...ON_REV,
  ({ part }) => part.no,
  ({ step }) => step.name,
  ({ part }) => part.enters,
  ({ part }) => part.epoch,
  ({ part }) => part.dispatchNo,
  ({ part }) => part.attempt,
  ({ step }) => step.timeoutSeconds,
  ({ part }) => part.causeId,
  ({ part }) => part.actor,
  ({ part }) => part.reason,
];

const STEP_MOVE: readonly Column<Owned<StepMove>>[] = [
  ...ON_REV,
  ({ part }) => part.no,
  ({ part }) => part.leaves,
  ({ part }) => part.via,
  ({ part }) => part.enters,
  ({ part }) => part.version,
  ({ part }) => part.epoch,
  ({ part }) => part.dispatchNo,
  ({ part }) => part.attempt,
  ({ part }) => part.workerLosses,
  ({ part }) => part.causeId,
  ({ part }) => part.actor,
  ({ part }) => part.reason,
  ({ part }) => part.startedMsAgo,
];

const RUN_MOVE: readonly Column<Owned<RunMove>>[] = [
  ...ON_REV,
  ({ part }) => part.leaves,
  ({ part }) => part.via,
  ({ part }) => part.enters,
  ({ part }) => part.version,
  ({ part }) => part.causeId,
  ({ part }) => part.actor,
  ({ part }) => part.reason,
];

const LIVE: readonly Column<Living>[] = [
  ...ON_REV,
  ({ live }) => live.phase,
  ({ live }) => live.remaining,
  ({ live }) => live.active,
  ({ live }) => live.waiting,
  ({ live }) => live.failed,
];

/** Turns the parts of many decisions into column arrays, one statement per kind of change. */
class Batch {
  private readonly all: readonly RunDecision[];

  constructor(
    private readonly tx: HotTransaction,
    private readonly decisions: readonly WritableDecision[],
  ) {
    this.all = decisions.map(({ decision }) => decision);
  }

  liveLock(): Promise<Written[]> {
    return this.send(LIVE_LOCK, this.decisions, ON_REV);
  }

  stepsBegin(): Promise<Written[]> {
    const begun: OwnedStep[] = [];
    for (const { decision, stepOf } of this.decisions)
      for (const part of decision.stepMoves) if (part.leaves === 'PENDING') begun.push({ decision, part, step: stepOf(part.no) });
    return this.send(STEPS_BEGIN, begun, STEP_BEGIN);
  }

  stepsMove(): Promise<Written[]> {
    const moves = this.partsOf((decision) => decision.stepMoves).filter(({ part }) => part.leaves !== 'PENDING');
    return this.send(STEPS_MOVE, moves, STEP_MOVE);
  }

  runsMove(which: (move: RunMove) => boolean): Promise<Written[]> {
    const moves = this.partsOf(({ runMove }) => (runMove && which(runMove) ? [runMove] : []));
    return this.send(RUNS_MOVE, moves, RUN_MOVE);
  }

  liveWrite(): Promise<Written[]> {
    const living = this.all.flatMap((decision) => (decision.live ? [{ decision, live: decision.live }] : []));
    return this.send(LIVE_WRITE, living, LIVE);
  }

  liveEnd(): Promise<Written[]> {
    const ending = this.decisions.filter(({ decision }) => decision.live === null);
    return this.send(LIVE_END, ending, ON_REV);
  }

  /** What most batches do not have: results, joins, timers, steps taken over. */
  extras(): Promise<Written[]>[] {
    const reused = this.decisions.flatMap(({ decision, retryOf }) => decision.reused.map((part) => ({ decision, retryOf, part })));
    return [
      this.results(),
      this.send(OUTPUTS_REUSE, reused, [...ON_REV, ({ retryOf }) => retryOf, ({ part }) => part]),
      this.send(
        WAITS_BEGIN,
        this.partsOf((decision) => decision.waitsBegun),
        [...ON_REV, ({ part }) => part.no, ({ part }) => part.unmet],
      ),
      this.send(
        WAITS_LOWER,
        this.partsOf((decision) => decision.waitsLowered),
        [...ON_REV, ({ part }) => part.no, ({ part }) => part.by],
      ),
      this.send(
        TIMERS_SET,
        this.partsOf((decision) => decision.timersSet),
        [
          ...ON_REV,
          ({ part }) => part.no,
          ({ part }) => part.kind,
          ({ part: { due } }) => ('inMs' in due ? due.inMs : null),
          ({ part: { due } }) => ('atMs' in due ? due.atMs : null),
        ],
      ),
      this.send(
        TIMERS_CLEAR,
        this.partsOf((decision) => decision.timersCleared),
        [...ON_REV, ({ part }) => part.no, ({ part }) => part.kind],
      ),
    ];
  }

  results(): Promise<Written[]> {
    const results = this.partsOf((decision) => decision.results);
    return this.send(RESULTS_WRITE, results, [
      ...ON_REV,
      ({ part }) => part.no,
      ({ part }) => jsonOrNull(part.output),
      ({ part }) => jsonOrNull(part.error),
    ]);
  }

  private partsOf<Part>(partsOf: (decision: RunDecision) => readonly Part[]): Owned<Part>[] {
    const owned: Owned<Part>[] = [];
    for (const decision of this.all) for (const part of partsOf(decision)) owned.push({ decision, part });
    return owned;
  }

  /** Sends one statement whose parameters are columns of these items; nothing when there are none. */
  private send<Item>(sql: Statement, items: readonly Item[], columns: readonly Column<Item>[]): Promise<Written[]> {
    if (items.length === 0) return Promise.resolve([]);
    return this.tx.query<Written>(
      sql,
      columns.map((column) => items.map(column)),
    );
  }
}

function jsonOrNull(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value);
}
