import type { Database } from './database.ts';
import type { LiveRow } from './rows.ts';
import { headsOf } from './statements-reading.ts';
import type { StatementValues } from './statement-values.ts';
import type { StatementWork } from './statement-work.ts';
import type { Transaction } from './transaction.ts';

/** The heads of each deployment, team and priority; in the order of the index, which the service does not rely on. */
const candidates: StatementWork = (database, tx, values) => {
  const perQueue = values.number(1);
  const live = database.live.all(tx);
  const full = values.flag(2) ? fullKeys(live) : new Set();
  const queued = live.filter((row) => row.phase === 'queued' && (row.began || !full.has(keyOf(row))));
  const queues = Map.groupBy(queued, (row) => `${row.deploymentId} ${row.team} ${row.priority}`);
  return [...queues.keys()].toSorted().flatMap((key) =>
    (queues.get(key) ?? [])
      .toSorted((one, other) => (one.runId < other.runId ? -1 : 1))
      .slice(0, perQueue)
      .map((row) => candidateOf(row, database.runs.get(tx, row.runId)?.retryOf ?? null, tx.now)),
  );
};

/** Queued runs from an id on, the oldest first. */
const newcomers: StatementWork = (database, tx, values) =>
  database.live
    .all(tx)
    .filter((row) => row.phase === 'queued' && row.runId >= values.text(1))
    .toSorted((one, other) => (one.runId < other.runId ? -1 : 1))
    .slice(0, values.number(2))
    .flatMap((row) => headsOf(database, tx, row.runId).map((head) => ({ ...candidateOf(row, null, tx.now), ...head })));

function keyOf({ workflowId, concurrencyKey }: LiveRow): string | null {
  return concurrencyKey === null ? null : `${workflowId} ${concurrencyKey}`;
}

/** Concurrency keys whose places are all taken. */
function fullKeys(live: readonly LiveRow[]): ReadonlySet<string | null> {
  const holders = Map.groupBy(
    live.filter(({ began, concurrencyKey }) => began && concurrencyKey !== null),
    keyOf,
  );
  const full = [...holders].filter(([, rows]) => rows.length >= Math.min(...rows.map((row) => row.concurrencyLimit ?? Infinity)));
  return new Set(full.map(([key]) => key));
}

function candidateOf(row: LiveRow, retryOf: string | null, now: number): object {
  const { team, priority, began } = row;
  return {
    ...{
      run_id: row.runId,
      retry_of: retryOf,
      deployment_id: row.deploymentId,
      workflow_id: row.workflowId,
      queue_team: team,
      priority,
      began,
    },
    ...{ concurrency_key: row.concurrencyKey, concurrency_limit: row.concurrencyLimit, queued_seconds: (now - row.queuedAt) / 1000 },
  };
}

function count(database: Database, tx: Transaction, values: StatementValues): object[] {
  const running = database.live.all(tx).filter(({ phase }) => phase === 'running');
  const [deployments, teams, workflows, keys] = [values.texts(1), values.texts(2), values.texts(3), values.texts(4)];
  const shares = Map.groupBy(
    running.filter((row) => deployments.includes(row.deploymentId)),
    (row) => `${row.deploymentId} ${row.team}`,
  );
  return [
    ...deployments.map((id) => ({ scope: 'deployment', id, running: running.filter((row) => row.deploymentId === id).length })),
    ...teams.map((name) => ({ scope: 'team', id: name, running: running.filter((row) => row.team === name).length })),
    ...[...shares].map(([id, rows]) => ({ scope: 'share', id, running: rows.length })),
    ...workflows.map((workflow, at) => ({
      scope: 'key',
      id: `${workflow} ${keys[at] ?? ''}`,
      running: database.live.all(tx).filter((row) => row.workflowId === workflow && row.concurrencyKey === keys[at] && row.began).length,
    })),
  ];
}

/** Admission: the heads of the queues, the locks of the scopes, the places taken. */
export const admissionStatements: Readonly<Record<string, StatementWork>> = {
  admission_candidates: candidates,
  admission_newcomers: newcomers,
  scopes_lock: (database, tx, values) => {
    // In one statement the count would see what was committed before the wait for the lock.
    if (database.breaks('count under lock')) return [];
    for (const key of [...new Set(values.texts(3))].toSorted()) tx.lock(`key ${key}`);
    for (const id of values.texts(1).toSorted()) tx.lock(`deployment ${id}`);
    for (const name of values.texts(2).toSorted()) tx.lock(`team ${name}`);
    return [{ locked: 1 }];
  },
  scopes_count: count,
};
