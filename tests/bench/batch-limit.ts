import pg from 'pg';

const CLIENTS = 4;
const BATCH = 500;
const ROWS = 100_000;

export interface LimitFigure {
  readonly rowsPerSecond: number;
  readonly rows: number;
  readonly seconds: number;
}

/**
 * What this PostgreSQL can do at most: batches of 500 compare-and-sets with their audit rows, one statement each, over 4 connections, on
 * tables that have nothing else. The engine's rates are read beside it.
 */
export async function measureBatchLimit(url: string, seconds: number): Promise<LimitFigure> {
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => connect(url)));
  const [first] = clients;
  if (!first) throw new Error('no connection');
  await first.query(
    `
    create table limit_rows (id int primary key, state text not null, version int not null) with (fillfactor = 50);
    create table limit_audit (id int not null, version int not null, previous_state text not null, new_state text not null, at timestamptz not null default now());
    insert into limit_rows select g, 'A', 1 from generate_series(1, ${ROWS}) g;
    vacuum analyze limit_rows`.replace(/;\s+vacuum analyze limit_rows/, ''),
  );
  await first.query('vacuum analyze limit_rows');
  const began = performance.now();
  const until = began + seconds * 1000;
  const moved = await Promise.all(clients.map((client, at) => moveUntil(client, at, until)));
  const took = (performance.now() - began) / 1000;
  await first.query('drop table limit_rows, limit_audit');
  await Promise.all(clients.map((client) => client.end()));
  const rows = moved.reduce((sum, count) => sum + count, 0);
  return { rowsPerSecond: rows / took, rows, seconds: took };
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client(url);
  await client.connect();
  return client;
}

/** Each client has rows of its own, and moves them to and fro. */
async function moveUntil(client: pg.Client, at: number, until: number): Promise<number> {
  const share = ROWS / CLIENTS;
  const version = new Map<number, number>();
  let moved = 0;
  for (let batch = 0; performance.now() < until; batch += 1) {
    const start = at * share + ((batch * BATCH) % share);
    const round = version.get(start) ?? 1;
    version.set(start, round + 1);
    const ids = Array.from({ length: BATCH }, (_, offset) => start + offset + 1);
    const [from, to] = round % 2 === 1 ? ['A', 'B'] : ['B', 'A'];
    const { rowCount } = await client.query({
      name: 'move',
      text: `with moved as (
               update limit_rows r set state = $3, version = r.version + 1 from unnest($1::int[]) as m (id)
                where r.id = m.id and r.state = $2 returning r.id, r.version)
             insert into limit_audit (id, version, previous_state, new_state) select id, version, $2, $3 from moved`,
      values: [ids, from, to],
    });
    moved += rowCount ?? 0;
  }
  return moved;
}
