import type { HotConnection, HotTransaction } from '../hot-connection.ts';
import { statement } from '../statement.ts';
import { toRunHead, type RunHead, type RunHeadRow } from './run-reader.ts';

const ADMISSION_CANDIDATES = statement('admission_candidates');
const ADMISSION_NEWCOMERS = statement('admission_newcomers');
const SCOPES_LOCK = statement('scopes_lock');
const SCOPES_COUNT = statement('scopes_count');

/** A queued run at the head of its deployment's and team's queue. */
export interface Candidate {
  readonly runId: string;
  readonly retryOf: string | null;
  readonly deploymentId: string;
  readonly workflowId: string;
  /** Empty: no team. */
  readonly team: string;
  readonly priority: number;
  readonly concurrencyKey: string | null;
  readonly concurrencyLimit: number | null;
  /** It was admitted before, and waited since: it holds its concurrency key already. */
  readonly began: boolean;
  readonly queuedSeconds: number;
  /** What a decision knows of it before it looks at steps; null: not read yet. */
  readonly head: RunHead | null;
}

interface CandidateRow {
  run_id: string;
  retry_of: string | null;
  deployment_id: string;
  workflow_id: string;
  queue_team: string;
  priority: number;
  concurrency_key: string | null;
  concurrency_limit: number | null;
  began: boolean;
  queued_seconds: number;
}

/** What an admission counts: places taken per deployment, team, share of a team in a deployment, and concurrency key. */
export interface Scopes {
  readonly deployments: readonly string[];
  readonly teams: readonly string[];
  readonly keys: readonly { readonly workflowId: string; readonly key: string }[];
}

/** Places taken, by scope and name: `deployment <id>`, `team <name>`, `share <deployment id> <team>`, `key <workflow id> <key>`. */
export type PlacesTaken = ReadonlyMap<string, number>;

export class AdmissionReader {
  constructor(private readonly connection: HotConnection) {}

  /** The first runs of every queue, at most `perQueue` each; with `passFullKeys` those whose concurrency key is full do not count. */
  async candidates(perQueue: number, passFullKeys: boolean): Promise<Candidate[]> {
    return (await this.connection.query<CandidateRow>(ADMISSION_CANDIDATES, [perQueue, passFullKeys])).map((row) => toCandidate(row, null));
  }

  /** Queued runs from an id on, the oldest first. */
  async newcomers(from: string, most: number): Promise<Candidate[]> {
    const rows = await this.connection.query<CandidateRow & RunHeadRow>(ADMISSION_NEWCOMERS, [from, most]);
    return rows.map((row) => toCandidate(row, toRunHead(row)));
  }

  /** Counts without locking: to be confirmed by `lockAndCount`. */
  count(scopes: Scopes): Promise<PlacesTaken> {
    return countScopes(this.connection, scopes);
  }
}

function toCandidate(row: CandidateRow, head: RunHead | null): Candidate {
  return {
    runId: row.run_id,
    retryOf: row.retry_of,
    deploymentId: row.deployment_id,
    workflowId: row.workflow_id,
    team: row.queue_team,
    priority: row.priority,
    concurrencyKey: row.concurrency_key,
    concurrencyLimit: row.concurrency_limit,
    began: row.began,
    queuedSeconds: row.queued_seconds,
    head,
  };
}

/** Locks the scopes, then counts in a statement of its own: until the transaction ends nobody else admits into them. */
export async function lockAndCount(tx: HotTransaction, scopes: Scopes): Promise<PlacesTaken> {
  const locked = tx.query(SCOPES_LOCK, [
    scopes.deployments,
    scopes.teams,
    scopes.keys.map(({ workflowId, key }) => `${workflowId} ${key}`),
  ]);
  const [, counted] = await Promise.all([locked, countScopes(tx, scopes)]);
  return counted;
}

async function countScopes(connection: HotTransaction, { deployments, teams, keys }: Scopes): Promise<PlacesTaken> {
  const rows = await connection.query<{ scope: string; id: string; running: number }>(SCOPES_COUNT, [
    deployments,
    teams,
    keys.map((key) => key.workflowId),
    keys.map((key) => key.key),
  ]);
  return new Map(rows.map((row) => [`${row.scope} ${row.id}`, row.running]));
}
