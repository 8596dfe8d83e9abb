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

/** What became of a keyed run: inserted, or the key stands for an earlier run of the same or of another body. */
export type KeyedOutcome =
  | { readonly kind: 'created'; readonly createdAt: Date }
  | { readonly kind: 'repeated' | 'mismatch'; readonly runId: string };

/** The workflows among these ids, as they are now: a run that is started after a publish has returned is of the new version. */
export async function findStartable(connection: HotTransaction, ids: readonly string[]): Promise<Map<string, StartableWorkflow>> {
  const rows = await connection.query<StartableWorkflow>(WORKFLOWS_STARTABLE, [ids]);
  return new Map(rows.map((row) => [row.id, row]));
}

/** Takes `count` ids from the database's clock. */
export async function takeRunIds(connection: HotTransaction, count: number): Promise<string[]> {
  return (await connection.query<{ id: string }>(RUN_IDS_TAKE, [count])).map((row) => row.id);
}

/** Inserts a group in one statement: all of it or, with the database's error, nothing. Returns each run's time of creation. */
export async function submitRuns(connection: HotTransaction, runs: readonly NewRun[]): Promise<Map<string, Date>> {
  const rows = await connection.query<CreatedRow>(RUNS_SUBMIT, submitColumns(runs));
  return createdAtOf(rows);
}

/** Which of the runs are in the database: asked after a lost answer. */
export async function findSubmitted(connection: HotTransaction, ids: readonly string[]): Promise<Map<string, Date>> {
  return createdAtOf(await connection.query<CreatedRow>(RUNS_EXIST, [ids]));
}

/** Claims the keys and inserts the runs that won theirs, in one transaction. Outcomes come in the order of `runs`. */
export async function submitKeyedRuns(connection: HotConnection, runs: readonly KeyedRun[]): Promise<KeyedOutcome[]> {
  return connection.transaction(async (tx) => {
    const claims = [runs.map((run) => run.scope), runs.map((run) => run.key)];
    const [, winners] = await Promise.all([
      tx.query(IDEMPOTENCY_CLAIM, [...claims, runs.map((run) => run.bodyHash), runs.map((run) => run.id)]),
      tx.query<WinnerRow>(IDEMPOTENCY_WINNERS, claims),
    ]);
    const winnerOf = new Map(winners.map((winner) => [`${winner.scope} ${winner.key}`, winner]));
    const won = runs.filter((run) => winnerOf.get(`${run.scope} ${run.key}`)?.run_id === run.id);
    const created = won.length === 0 ? new Map<string, Date>() : await submitRuns(tx, won);
    return runs.map((run) => outcomeOf(run, winnerOf.get(`${run.scope} ${run.key}`), created.get(run.id)));
  });
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

interface CreatedRow {
  readonly id: string;
  readonly created_at: Date;
}

interface WinnerRow {
  readonly scope: string;
  readonly key: string;
  readonly body_hash: Buffer;
  readonly run_id: string;
}

function outcomeOf(run: KeyedRun, winner: WinnerRow | undefined, createdAt: Date | undefined): KeyedOutcome {
  if (createdAt) return { kind: 'created', createdAt };
  if (!winner) throw new DomainError('invariant.broken', 'A claimed idempotency key has no row.', { key: run.key }, null, 'bug');
  return { kind: winner.body_hash.equals(run.bodyHash) ? 'repeated' : 'mismatch', runId: winner.run_id };
}

function createdAtOf(rows: readonly CreatedRow[]): Map<string, Date> {
  return new Map(rows.map((row) => [row.id, row.created_at]));
}

/** Columns of `runs_submit`: what runs share travels once per target. */
function submitColumns(runs: readonly NewRun[]): unknown[][] {
  const numberOf = new Map<RunTarget, number>();
  for (const { target } of runs) if (!numberOf.has(target)) numberOf.set(target, numberOf.size + 1);
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
  ];
}
