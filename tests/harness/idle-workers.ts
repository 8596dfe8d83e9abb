import type pg from 'pg';
import { eventually } from '#testing';

type Database = Pick<pg.Client, 'query'>;

/** The database's clock, as a text that it reads back. */
export async function databaseNow(database: Database): Promise<string> {
  const { rows } = await database.query<{ now: string }>('select clock_timestamp()::text as now');
  const [row] = rows;
  if (!row) throw new Error('the database did not tell the time');
  return row.now;
}

/**
 * Names of workers that have told since this moment that they hold nothing, one per session; none while any session is known to hold steps.
 * When something was told is when a scheduler took it in. What was told earlier is no proof: a worker that was stopped, or cut off, while its
 * session ran out holds what it held when it goes on, and no row says so until it is heard again.
 */
export async function idleWorkersSince(database: Database, moment: string): Promise<string[]> {
  const { rows } = await database.query<{ worker: string }>(
    `select worker from worker_sessions
      where beat_at > $1::timestamptz and not exists (select from worker_sessions where cardinality(held_runs) > 0)`,
    [moment],
  );
  return rows.map(({ worker }) => worker);
}

/** Waits until so many workers have told, from now on, that they hold nothing. */
export async function untilWorkersAreIdle(database: Database, count: number): Promise<void> {
  const from = await databaseNow(database);
  const areIdle = async () => (await idleWorkersSince(database, from)).length >= count;
  await eventually(areIdle, { what: `${count} workers to tell that they hold nothing` });
}
