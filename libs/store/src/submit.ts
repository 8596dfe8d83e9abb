import { DomainError } from '#core';
import type { HotConnection, HotTransaction } from './hot-connection.ts';
import { isSqlState } from './roles.ts';
import { statement } from './statement.ts';

const WORKFLOWS_STARTABLE = statement('workflows_startable');
const RUN_IDS_TAKE = statement('run_ids_take');
const RUNS_SUBMIT = statement('runs_submit');
const RUNS_EXIST = statement('runs_exist');
const IDEMPOTENCY_CLAIM = statement('idempotency_claim');
const IDEMPOTENCY_WINNERS = statement('idempotency_winners');

/** What starting a run needs of a workflow. `version` is the current one. */
export interface StartableWorkflow {
  readonly id: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly environment: string | null;
  readonly team: string | null;
  readonly version: number;
}

/** A workflow version in the deployment it resolved to: what runs of one submit share. Compared by identity: build it once and keep it. */
export interface RunTarget {
  readonly workflowId: string;
  readonly workflowVersion: number;
  readonly environment: string | null;
  readonly team: string | null;
  readonly deploymentId: string;
  readonly matchedBy: 'team' | 'environment' | 'default';
  readonly stepCount: number;
  readonly timeoutSeconds: number | null;
  readonly priority: number;
  readonly concurrencyLimit: number | null;
}

export interface NewRun {
  readonly id: string;
  readonly target: RunTarget;
  /** JSON without `\u0000` and lone surrogates, which jsonb refuses. */
  readonly inputJson: string;
  readonly actor: string;
  readonly retryOf: string | null;
  readonly concurrencyKey: string | null;
  readonly reason: string | null;
}

/** A new run under an idempotency key. */
export interface KeyedRun extends NewRun {
  readonly scope: string;
  readonly key: string;
  readonly bodyHash: Buffer;
}

/**
 * What became of a submitted run: inserted; or not, because its workflow is no longer as it was remembered; or its key stands for an earlier run
 * of the same or of another body.
 */
export type SubmitOutcome =
  | { readonly kind: 'created'; readonly createdAt: Date }
  | { readonly kind: 'outdated' }
  | { readonly kind: 'repeated' | 'mismatch'; readonly runId: string };

/** Workflows that were not read for this submit, by the targets that were made from them: the database compares them with what they are now. */
export type Remembered = ReadonlyMap<RunTarget, StartableWorkflow>;

/** When a group was created, and the targets that nothing was written for: their workflows have changed since they were read. */
export interface Submitted {
  readonly createdAt: Date;
  readonly outdated: ReadonlySet<RunTarget>;
}

/** The workflows among these ids, as they are now: a run that is started after a publish has returned is of the new version. */
export async function findStartable(connection: HotTransaction, ids: readonly string[]): Promise<Map<string, StartableWorkflow>> {
  const rows = await connection.query<StartableWorkflow>(WORKFLOWS_STARTABLE, [ids]);
  return new Map(rows.map((row) => [row.id, row]));
}

/** Takes `count` ids from the database's clock. */
export async function takeRunIds(connection: HotTransaction, count: number): Promise<string[]> {
  return (await connection.query<{ id: string }>(RUN_IDS_TAKE, [count])).map((row) => row.id);
}

/**
 * Inserts a group in one statement: all of it but what is outdated or, with the database's error, nothing. A run is never started of an older
 * version than was current when this was called.
 */
export async function submitRuns(
  connection: HotTransaction,
  runs: readonly NewRun[],
  remembered: Remembered = NONE_REMEMBERED,
): Promise<Submitted> {
  const targets = targetsOf(runs);
  const [row] = await connection.query<SubmittedRow>(RUNS_SUBMIT, submitColumns(runs, targets, remembered));
  if (!row) throw new DomainError('invariant.broken', 'A submit returned nothing.', {}, null, 'bug');
  const numbers = new Set(row.outdated);
  return { createdAt: row.created_at, outdated: new Set([...targets].flatMap(([target, no]) => (numbers.has(no) ? [target] : []))) };
}

/** Which of the runs are in the database: asked after a lost answer. */
export async function findSubmitted(connection: HotTransaction, ids: readonly string[]): Promise<Map<string, Date>> {
  return createdAtOf(await connection.query<CreatedRow>(RUNS_EXIST, [ids]));
}

/**
 * Claims the keys and inserts the runs that won theirs, in one transaction. Outcomes come in the order of `runs`. When one of them is outdated
 * all are, and nothing was written: a key must not be claimed for a run that is not there.
 */
export async function submitKeyedRuns(
  connection: HotConnection,
  runs: readonly KeyedRun[],
  remembered: Remembered = NONE_REMEMBERED,
): Promise<SubmitOutcome[]> {
  try {
    return await connection.transaction((tx) => claimAndSubmit(tx, runs, remembered));
  } catch (error) {
    if (error instanceof OutdatedGroup) return runs.map(() => ({ kind: 'outdated' }));
    throw error;
  }
}

/** True when the error says that the statement itself was refused, so that nothing of it was written; false: its fate is unknown. */
export function isRefusedByDatabase(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return false;
  // Class 08 and 57P0x: the session broke; other five-character codes come from a server that rolled the statement back.
  return /^[0-9A-Z]{5}$/.test(error.code) && !error.code.startsWith('08') && !error.code.startsWith('57P');
}

/** True when a run with this id is there already: an earlier try was committed after all. */
export function isAlreadyThere(error: unknown): boolean {
  return isSqlState(error, '23505');
}

/** Rolls a transaction back that has claimed keys for outdated runs. */
class OutdatedGroup extends Error {}

const NONE_REMEMBERED: Remembered = new Map();

async function claimAndSubmit(tx: HotTransaction, runs: readonly KeyedRun[], remembered: Remembered): Promise<SubmitOutcome[]> {
  const claims = [runs.map((run) => run.scope), runs.map((run) => run.key)];
  const [, winners] = await Promise.all([
    tx.query(IDEMPOTENCY_CLAIM, [...claims, runs.map((run) => run.bodyHash), runs.map((run) => run.id)]),
    tx.query<WinnerRow>(IDEMPOTENCY_WINNERS, claims),
  ]);
  const winnerOf = new Map(winners.map((winner) => [`${winner.scope} ${winner.key}`, winner]));
  const won = runs.filter((run) => winnerOf.get(`${run.scope} ${run.key}`)?.run_id === run.id);
  const submitted = won.length === 0 ? undefined : await submitRuns(tx, won, remembered);
  if (submitted && submitted.outdated.size > 0) throw new OutdatedGroup();
  return runs.map((run) => outcomeOf(run, winnerOf.get(`${run.scope} ${run.key}`), submitted?.createdAt));
}

interface CreatedRow {
  readonly id: string;
  readonly created_at: Date;
}

interface SubmittedRow {
  readonly created_at: Date;
  readonly outdated: readonly number[];
}

interface WinnerRow {
  readonly scope: string;
  readonly key: string;
  readonly body_hash: Buffer;
  readonly run_id: string;
}

function outcomeOf(run: KeyedRun, winner: WinnerRow | undefined, createdAt: Date | undefined): SubmitOutcome {
  if (!winner) throw new DomainError('invariant.broken', 'A claimed idempotency key has no row.', { key: run.key }, null, 'bug');
  if (winner.run_id === run.id && createdAt) return { kind: 'created', createdAt };
  return { kind: winner.body_hash.equals(run.bodyHash) ? 'repeated' : 'mismatch', runId: winner.run_id };
}

function createdAtOf(rows: readonly CreatedRow[]): Map<string, Date> {
  return new Map(rows.map((row) => [row.id, row.created_at]));
}

/** The targets of these runs, numbered from 1: what runs share travels once per target. */
function targetsOf(runs: readonly NewRun[]): Map<RunTarget, number> {
  const numberOf = new Map<RunTarget, number>();
  for (const { target } of runs) if (!numberOf.has(target)) numberOf.set(target, numberOf.size + 1);
  return numberOf;
}

/** Columns of `runs_submit`. */
function submitColumns(runs: readonly NewRun[], numberOf: ReadonlyMap<RunTarget, number>, remembered: Remembered): unknown[][] {
  const targets = [...numberOf.keys()];
  return [
    runs.map((run) => run.id),
    runs.map((run) => numberOf.get(run.target)),
    runs.map((run) => run.inputJson),
    runs.map((run) => run.actor),
    runs.map((run) => run.retryOf),
    runs.map((run) => run.concurrencyKey),
    runs.map((run) => run.reason),
    targets.map((target) => target.workflowId),
    targets.map((target) => target.workflowVersion),
    targets.map((target) => target.environment),
    targets.map((target) => target.team),
    targets.map((target) => target.deploymentId),
    targets.map((target) => target.matchedBy),
    targets.map((target) => target.stepCount),
    targets.map((target) => target.timeoutSeconds),
    targets.map((target) => target.priority),
    targets.map((target) => target.concurrencyLimit),
    targets.map((target) => remembered.has(target)),
    targets.map((target) => remembered.get(target)?.environment ?? null),
  ];
}
