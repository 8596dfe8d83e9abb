import { DomainError, type RunDecision, type RunMove, type StepMove } from '#core';
import type { HotConnection, HotTransaction, OpenTransaction } from '../hot-connection.ts';
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
 * Writes decisions about any number of runs in one transaction, whose statements and commit leave together. A decision is written whole, or not
 * at all because the run was changed meanwhile (its rev moved).
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
        return writable.length === 0 ? new Set() : await this.send(tx, writable);
      });
    } catch (error) {
      throw isSqlState(error, 'FF007') ? epochChanged(this.epoch) : error;
    }
  }

  private async send(tx: OpenTransaction, decisions: readonly WritableDecision[]): Promise<Set<string>> {
    // Whatever can fail on our side fails here: of what is sent below, the commit included, nothing can be taken back.
    const statements = new Batch(decisions).statements();
    const here = tx.query(SAME_EPOCH, [this.epoch]);
    const sent = statements.map(({ sql, columns }) => tx.query<Written>(sql, columns));
    // failpoint p7: the moves are about to leave, and their commit with them
    tx.commitBehind();
    const results = await Promise.allSettled([here, ...sent]);
    // After a refusal the rest of the transaction fails too (25P02): the first error is the cause.
    const refused = results.find((result) => result.status === 'rejected');
    if (refused) throw refused.reason;
    const told = await Promise.all(sent.filter((_rows, at) => statements[at]?.tells));
    return new Set(told.flat().map((row) => row.run_id));
  }
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

/** A statement of a decision with the columns of its parameters. `tells`: its rows name the runs that were written. */
interface Prepared {
  readonly sql: Statement;
  readonly columns: readonly (readonly unknown[])[];
  readonly tells: boolean;
}

/** Turns the parts of many decisions into column arrays, one statement per kind of change; none for what no decision has. */
class Batch {
  private readonly all: readonly RunDecision[];
  private readonly prepared: Prepared[] = [];

  constructor(private readonly decisions: readonly WritableDecision[]) {
    this.all = decisions.map(({ decision }) => decision);
  }

  /** In the order in which it happened: steps end, runs start, steps begin, runs end. */
  statements(): readonly Prepared[] {
    this.add(LIVE_LOCK, this.decisions, ON_REV);
    this.stepsMove();
    this.runsMove((move) => STARTS_FROM.has(move.leaves));
    this.stepsBegin();
    this.runsMove((move) => !STARTS_FROM.has(move.leaves));
    this.results();
    this.extras();
    this.live();
    return this.prepared;
  }

  private stepsBegin(): void {
    const begun: OwnedStep[] = [];
    for (const { decision, stepOf } of this.decisions)
      for (const part of decision.stepMoves) if (part.leaves === 'PENDING') begun.push({ decision, part, step: stepOf(part.no) });
    this.add(STEPS_BEGIN, begun, STEP_BEGIN);
  }

  private stepsMove(): void {
    const moves = this.partsOf((decision) => decision.stepMoves).filter(({ part }) => part.leaves !== 'PENDING');
    this.add(STEPS_MOVE, moves, STEP_MOVE);
  }

  private runsMove(which: (move: RunMove) => boolean): void {
    const moves = this.partsOf(({ runMove }) => (runMove && which(runMove) ? [runMove] : []));
    this.add(RUNS_MOVE, moves, RUN_MOVE);
  }

  private results(): void {
    const results = this.partsOf((decision) => decision.results);
    this.add(RESULTS_WRITE, results, [
      ...ON_REV,
      ({ part }) => part.no,
      ({ part }) => jsonOrNull(part.output),
      ({ part }) => jsonOrNull(part.error),
    ]);
  }

  /** What most batches do not have: joins, timers, steps taken over. */
  private extras(): void {
    const reused = this.decisions.flatMap(({ decision, retryOf }) => decision.reused.map((part) => ({ decision, retryOf, part })));
    this.add(OUTPUTS_REUSE, reused, [...ON_REV, ({ retryOf }) => retryOf, ({ part }) => part]);
    const begun = this.partsOf((decision) => decision.waitsBegun);
    this.add(WAITS_BEGIN, begun, [...ON_REV, ({ part }) => part.no, ({ part }) => part.unmet]);
    const lowered = this.partsOf((decision) => decision.waitsLowered);
    this.add(WAITS_LOWER, lowered, [...ON_REV, ({ part }) => part.no, ({ part }) => part.by]);
    const set = this.partsOf((decision) => decision.timersSet);
    this.add(TIMERS_SET, set, [
      ...ON_REV,
      ({ part }) => part.no,
      ({ part }) => part.kind,
      ({ part: { due } }) => ('inMs' in due ? due.inMs : null),
      ({ part: { due } }) => ('atMs' in due ? due.atMs : null),
    ]);
    const cleared = this.partsOf((decision) => decision.timersCleared);
    this.add(TIMERS_CLEAR, cleared, [...ON_REV, ({ part }) => part.no, ({ part }) => part.kind]);
  }

  private live(): void {
    const living = this.all.flatMap((decision) => (decision.live ? [{ decision, live: decision.live }] : []));
    this.add(LIVE_WRITE, living, LIVE, true);
    const ending = this.decisions.filter(({ decision }) => decision.live === null);
    this.add(LIVE_END, ending, ON_REV, true);
  }

  private partsOf<Part>(partsOf: (decision: RunDecision) => readonly Part[]): Owned<Part>[] {
    const owned: Owned<Part>[] = [];
    for (const decision of this.all) for (const part of partsOf(decision)) owned.push({ decision, part });
    return owned;
  }

  private add<Item>(sql: Statement, items: readonly Item[], columns: readonly Column<Item>[], tells = false): void {
    if (items.length > 0) this.prepared.push({ sql, columns: columns.map((column) => items.map(column)), tells });
  }
}

function jsonOrNull(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value);
}
