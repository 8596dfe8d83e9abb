import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { startEmbeddedPostgres } from '#embedded';
import { TcpProxy, type TestDatabase, cloneDatabase, eventually } from '#testing';
import { type Database, openDatabase } from './connections.ts';
import { HotConnection } from './hot-connection.ts';
import { SessionWatch } from './session-watch.ts';
import type { Statement } from './statement.ts';

const PID: Statement = { name: 'pid', text: 'select pg_backend_pid() as pid' };
const SLEEP: Statement = { name: 'sleep', text: 'select pg_sleep($1)::text as slept' };
const LOCK: Statement = { name: 'lock', text: 'select pg_advisory_lock(7)::text as locked' };
/** Short, so that what takes seconds in production takes tenths here. */
const TIMES = { every: 50, answer: 300, away: 400, suspect: 300, standing: 600 };

describe('the watch over database sessions', () => {
  let database: TestDatabase;
  let proxy: TcpProxy;
  let watch: SessionWatch;
  let connection: HotConnection;
  let told: { text: string; session: unknown }[];
  let backs: number;

  beforeAll(async () => {
    database = await cloneDatabase();
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    proxy = await TcpProxy.listen(Number(new URL(database.apiUrl).port));
    told = [];
    backs = 0;
    const note = (details: object, text: string) => told.push({ text, session: 'session' in details ? details.session : undefined });
    const log = { info: note, warn: note, error: note };
    watch = new SessionWatch({ url: url(), name: 'test', log, onBack: () => (backs += 1), times: TIMES });
    connection = new HotConnection(url(), 'watched', undefined, watch.openClient);
  });
  afterEach(async () => {
    proxy.heal();
    await connection.close();
    await watch.close();
    await proxy.close();
  });

  const url = () => Object.assign(new URL(database.apiUrl), { port: String(proxy.port) }).href;
  const pidOf = async () => (await connection.query<{ pid: number }>(PID, []))[0]?.pid;
  const givenUp = () => told.flatMap(({ text, session }) => (text.includes('given up') ? [session] : []));
  const untilDown = () => eventually(() => watch.check().status === 'down', { what: 'the check to be down' });

  it('gives up a session whose answer was swallowed, though the network works again', async () => {
    await pidOf();
    proxy.blackhole();
    const lost = pidOf();
    await eventually(() => proxy.swallowed > 0, { what: 'the statement to be swallowed' });
    proxy.heal();
    await expect(lost).rejects.toThrow('terminated');
    expect(givenUp()).toEqual(['flowforge-watched']);
    expect(await pidOf()).toBeGreaterThan(0);
    await eventually(() => watch.check().status === 'ok', { what: 'the check to be ok' });
  });

  it('leaves a statement alone that the database is at work for, and says that nothing moves', async () => {
    const slow = connection.query<{ slept: string }>(SLEEP, [1.5]);
    await untilDown();
    expect(watch.check().detail).toMatch(/flowforge-watched has waited \d+ ms/);
    expect(await slow).toHaveLength(1);
    expect(watch.check().status).toBe('ok');
    expect(givenUp()).toEqual([]);
  });

  it('says so when a statement waits for a lock that nobody gives back', async () => {
    const holder = new pg.Client(database.superuserUrl);
    await holder.connect();
    await holder.query('select pg_advisory_lock(7)');
    const waiting = connection.query(LOCK, []);
    await untilDown();
    await holder.end();
    await waiting;
    expect(watch.check().status).toBe('ok');
  });

  it('gives up every session while the database is silent, lets nobody knock, and tells when it is back', async () => {
    const pid = await pidOf();
    proxy.blackhole();
    await expect(connection.transaction((tx) => tx.query(PID, []))).rejects.toThrow('terminated');
    expect(watch.check().status).toBe('down');
    const before = proxy.connections;
    await expect(connection.query(PID, [])).rejects.toMatchObject({ code: 'database.unavailable', kind: 'outage' });
    expect(proxy.connections).toBeLessThanOrEqual(before + 1);
    proxy.heal();
    await eventually(() => backs === 1, { what: 'the database to be back' });
    expect(await pidOf()).not.toBe(pid);
    expect(watch.check().status).toBe('ok');
  });

  it('looks after the sessions of a pool, those at rest as well', async () => {
    const pool: Database = await openDatabase({ url: url(), name: 'pool', connectionsMax: 3, watch });
    await Promise.all([1, 2, 3].map(() => pool.query('select pg_sleep(0.05)')));
    proxy.blackhole();
    await expect(pool.query('select 1')).rejects.toThrow('terminated');
    await eventually(() => givenUp().filter((name) => name === 'flowforge-pool').length === 3, { what: 'all three to be given up' });
    proxy.heal();
    await eventually(() => pool.query('select 1'), { within: 10_000, what: 'the pool to serve again' });
    await pool.destroy();
  });

  it('ends in bounded time when nobody answers the goodbye', async () => {
    await pidOf();
    proxy.blackhole();
    const began = performance.now();
    await connection.close();
    await watch.close();
    expect(performance.now() - began).toBeLessThan(8_000);
  });
});

it('refuses a standby while it connects', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'flowforge-standby-'));
  const server = await startEmbeddedPostgres({ dataDir, fsync: false });
  await server.stop();
  await writeFile(join(server.home, 'postgres', 'standby.signal'), '');
  const standby = await startEmbeddedPostgres({ dataDir, fsync: false });
  try {
    const connection = new HotConnection(standby.superuserUrl(), 'astray');
    await expect(connection.query(PID, [])).rejects.toMatchObject({ code: 'database.read_only' });
    await expect(openDatabase({ url: standby.superuserUrl(), name: 'astray' })).rejects.toMatchObject({ code: 'database.read_only' });
    await connection.close();
  } finally {
    await standby.destroy();
    await rm(dataDir, { recursive: true, force: true });
  }
}, 30_000);
