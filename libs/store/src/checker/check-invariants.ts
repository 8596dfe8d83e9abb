import type pg from 'pg';
import { RUN_STATES, type Json, type RunState } from '#core';
import { type CheckBounds, CHECK_BOUNDS } from './bounds.ts';
import { type Check, type CheckInput, CHECKS, sqlOf } from './checks.ts';
import type { Evidence } from './evidence.ts';
import { FindingBook } from './finding-book.ts';
import { findHistoryFaults, type HistoryEvent } from './history.ts';
import { doubledEffects } from './ledger.ts';
import type { CheckReport } from './report.ts';
import { type Sizes, summarize } from './summarize.ts';

/** What to check against. `quiescent`: nothing is under way, so that all must have ended and nothing may be left over. */
export interface CheckOptions extends Evidence {
  /** Stands for the database's time when lateness is judged; for tests. */
  readonly now?: Date;
  readonly quiescent?: boolean;
  /** As the services are configured: leases and sweeps. The rest has the product's defaults. */
  readonly bounds?: Partial<CheckBounds>;
  /** Findings of one code that are told in full; 20 unless told. All are counted. */
  readonly findingsMax?: number;
  /** Runs in one range of ids; 20,000 unless told. Bounds what one statement sorts. */
  readonly rangeRuns?: number;
}

const findingsMaxDefault = 20;
const rangeRunsDefault = 20_000;
const lowestId = '00000000-0000-0000-0000-000000000000';
const highestId = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/**
 * Verifies the invariants on a live database: reads only, in one snapshot, so that transactions under way are seen whole or not at all.
 * `client` must not be in a transaction; a login that may read the tables is enough (either service's role). Calling it often is safe.
 */
export async function checkInvariants(client: pg.ClientBase, options: CheckOptions = {}): Promise<CheckReport> {
  const began = performance.now();
  const { findingsMax = findingsMaxDefault, rangeRuns = rangeRunsDefault, history = null, ledger = null } = options;
  const input = inputOf(options);
  const book = new FindingBook(findingsMax);
  const sizes = await inSnapshot(client, async () => {
    for (const check of CHECKS.filter(({ ranged }) => !ranged)) await runCheck(client, check, input, [], book);
    for await (const range of rangesOfRuns(client, rangeRuns)) {
      for (const check of CHECKS.filter(({ ranged }) => ranged)) await runCheck(client, check, input, range, book);
    }
    if (history) await checkHistory(client, history, book);
    return await sizesOf(client);
  });
  for (const { idempotencyKey, count } of doubledEffects(ledger ?? [])) book.add('check.effect.doubled', idempotencyKey, { count });
  if (input.quiescent)
    for (const { stream, pending } of input.streams ?? []) if (pending > 0) book.add('check.rest.pending', stream, { pending });
  return summarize(book, sizes, { ...input, history, ledger, tookMs: Math.round(performance.now() - began) });
}

function inputOf({ now, quiescent = false, expected, streams, bounds }: CheckOptions): CheckInput {
  return { bounds: { ...CHECK_BOUNDS, ...bounds }, now: now ?? null, quiescent, expected: expected ?? null, streams: streams ?? null };
}

async function inSnapshot<T>(client: pg.ClientBase, work: () => Promise<T>): Promise<T> {
  await client.query('begin transaction isolation level repeatable read, read only');
  try {
    // Fresh tables have no statistics: the planner takes them for tiny, and a nested loop over them never ends. Every join here is an equality.
    await client.query('set local enable_nestloop = off; set local jit = off');
    return await work();
  } finally {
    await client.query('rollback');
  }
}

type Range = readonly [behind: string, upTo: string];

/** Cuts all ids into ranges of so many runs. The first and the last have no outer bound, so that rows without a run lie in one of them, too. */
async function* rangesOfRuns(client: pg.ClientBase, runs: number): AsyncGenerator<Range> {
  for (let behind = lowestId; behind !== highestId;) {
    const { rows } = await client.query<{ id: string }>(sqlOf('next_range.sql'), [behind, runs]);
    const upTo = rows[0]?.id ?? highestId;
    yield [behind, upTo];
    behind = upTo;
  }
}

async function runCheck(
  client: pg.ClientBase,
  check: Check,
  input: CheckInput,
  range: readonly string[],
  book: FindingBook,
): Promise<void> {
  if (check.when && !check.when(input)) return;
  const bounded = `select code, subject, details, total::int, place::int from (
    select f.*, count(*) over (partition by code) as total, row_number() over (partition by code) as place from (${sqlOf(check.file)}) as f
  ) as counted where place <= ${book.perCodeMax}`;
  const { rows } = await client.query<FoundRow>(bounded, [...range, ...check.parameters(input)]);
  for (const { code, subject, details, total, place } of rows) {
    book.add(code, subject, details);
    if (place === book.perCodeMax) book.addUntold(code, total - place);
  }
}

interface FoundRow {
  readonly code: string;
  readonly subject: string;
  readonly details: Readonly<Record<string, Json>>;
  /** Findings of this code in all, and which of them this is. */
  readonly total: number;
  readonly place: number;
}

async function checkHistory(client: pg.ClientBase, history: readonly HistoryEvent[], book: FindingBook): Promise<void> {
  const runIds = [...new Set(history.map(({ runId }) => runId))];
  const { rows } = await client.query<{ run_id: string; states: string[] }>(sqlOf('trails.sql'), [runIds]);
  const trails = new Map(rows.map(({ run_id, states }) => [run_id, states.filter(isRunState)]));
  for (const { code, event } of findHistoryFaults(history, trails)) {
    const { op, runId, startedAt, endedAt, result } = event;
    book.add(code, runId, { op, startedAt, endedAt, outcome: result.outcome === 'seen' ? `seen ${result.state}` : result.outcome });
  }
}

function isRunState(state: string): state is RunState {
  return RUN_STATES.some((known) => known === state);
}

async function sizesOf(client: pg.ClientBase): Promise<Sizes> {
  const { rows } = await client.query<Record<keyof Omit<Sizes, 'snapshotAt'>, string> & { snapshotAt: Date }>(sqlOf('sizes.sql'));
  const [row] = rows;
  const count = (text: string | undefined) => Number(text ?? 0);
  return {
    runs: count(row?.runs),
    steps: count(row?.steps),
    audit: count(row?.audit),
    live: count(row?.live),
    waits: count(row?.waits),
    timers: count(row?.timers),
    sessions: count(row?.sessions),
    outputs: count(row?.outputs),
    logLines: count(row?.logLines),
    keys: count(row?.keys),
    snapshotAt: (row?.snapshotAt ?? new Date(0)).toISOString(),
  };
}
