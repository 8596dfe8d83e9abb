import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type TestDatabase, databaseServers, eventually } from '#testing';
import { GivenRows } from '../../../testing/src/given/given-rows.ts';
import { HotConnection } from '../hot-connection.ts';
import { statement } from '../statement.ts';

const LIVE_LOCK = statement('live_lock');

describe.each(databaseServers())('the mutexes of runs on $name', ({ cloneDatabase }) => {
  let database: TestDatabase;
  let given: GivenRows;
  const connections: HotConnection[] = [];

  beforeAll(async () => {
    database = await cloneDatabase();
    given = await GivenRows.open(database);
  });
  afterAll(async () => {
    await Promise.all(connections.map((connection) => connection.close()));
    await given.close();
    await database.drop();
  });

  /** A transaction of its own session that locks these runs and keeps them until it is told. */
  const locking = (runIds: readonly string[], until: Promise<unknown>) => {
    const connection = new HotConnection(database.schedulerUrl, 'locks');
    connections.push(connection);
    return connection.transaction(async (tx) => {
      const locked = await tx.query<{ run_id: string }>(LIVE_LOCK, [runIds, runIds.map(() => 1)]);
      await until;
      return locked.map((row) => row.run_id);
    });
  };
  const waiting = async (count: number) => {
    const [row] = await given.rows<{ count: number }>(
      `select count(*)::int as count from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    return row?.count === count;
  };

  it('are taken in the order of ids, so that batches which name them in other orders do not wait in a circle', async () => {
    const ids = [await given.run({}), await given.run({})].toSorted();
    let letGo: (value?: unknown) => void = () => undefined;
    const held = new Promise((resolve) => (letGo = resolve));
    const holder = locking(ids.slice(0, 1), held);
    await eventually(
      async () => (await given.rows(`select 1 from pg_locks where relation = 'live_runs'::regclass and granted`)).length > 0,
    );
    const one = locking(ids, Promise.resolve());
    await eventually(() => waiting(1), { what: 'the first batch to wait' });
    const other = locking(ids.toReversed(), Promise.resolve());
    await eventually(() => waiting(2), { what: 'the second batch to wait' });
    letGo();

    expect(await Promise.all([holder, one, other])).toEqual([ids.slice(0, 1), ids, ids]);
  });
});
