import pg from 'pg';
import { figureOf, type Figure } from '../figures.ts';
import { Meter } from '../measure/meter.ts';
import { withClient } from '../servers.ts';

const CLIENTS = 4;
const BATCH = 500;
const ROWS = 200_000;

/**
 * What this PostgreSQL can do at most: batches of 500 compare-and-sets with their audit rows, one statement each, over 4 connections, on
 * narrow tables that have nothing else. Processor time of the server and of the sender.
 */
export async function measureBatch(url: string, postgres: number, seconds: number): Promise<Figure> {
  await withClient(url, prepare);
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => connect(url)));
  const meter = Meter.begin({ postgres }, { own: true });
  const until = performance.now() + seconds * 1000;
  const moved = await Promise.all(clients.map((client, at) => moveUntil(client, at, until)));
  const metered = meter.end();
  await Promise.all(clients.map((client) => client.end()));
  const rows = moved.reduce((sum, count) => sum + count, 0);
  return figureOf('limit', 'batch', rows, metered, { rowsPerSecond: rows / metered.seconds });
}

async function prepare(client: pg.Client): Promise<void> {
  await client.query(`
    drop table if exists limit_step, limit_audit;
    create table limit_step (id bigint primary key, state smallint not null default 0, version int not null default 0, at timestamptz not null default now())
      with (fillfactor = 70);
    create table limit_audit (id bigint generated always as identity primary key, step bigint not null, leaves smallint not null, enters smallint not null,
      at timestamptz not null default clock_timestamp());
    create index on limit_audit (step);
    insert into limit_step (id) select g from generate_series(1, ${ROWS}) g`);
  await client.query('vacuum analyze limit_step');
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client(url);
  await client.connect();
  return client;
}

/** Each client has rows of its own, and moves them on and on. */
async function moveUntil(client: pg.Client, at: number, until: number): Promise<number> {
  const share = ROWS / CLIENTS;
  let moved = 0;
  for (let batch = 0; performance.now() < until; batch += 1) {
    const start = (batch * BATCH) % share;
    const round = Math.floor((batch * BATCH) / share);
    const ids = Array.from({ length: BATCH }, (_, offset) => at * share + start + offset + 1);
    const { rowCount } = await client.query({
      name: 'move',
      text: `with moved as (
               update limit_step s set state = m.state + 1, version = s.version + 1, at = now()
                 from unnest($1::bigint[], $2::smallint[]) as m (id, state) where s.id = m.id and s.state = m.state returning s.id, m.state as leaves, s.state as enters)
             insert into limit_audit (step, leaves, enters) select id, leaves, enters from moved`,
      values: [ids, ids.map(() => round)],
    });
    moved += rowCount ?? 0;
  }
  return moved;
}
