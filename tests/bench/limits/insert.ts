import { figureOf, type Figure } from '../figures.ts';
import { Meter } from '../measure/meter.ts';
import { percentile } from '../measure/statistics.ts';
import { withClient } from '../servers.ts';

const BATCH = 1_000;
const COMMITS = 400;

/** Narrow rows into a table with a key, a thousand in a statement, over one connection. */
export async function measureInsert(url: string, postgres: number, seconds: number): Promise<Figure> {
  return await withClient(url, async (client) => {
    await client.query(
      'drop table if exists limit_row; create table limit_row (id bigint generated always as identity primary key, step bigint, leaves smallint, enters smallint, at timestamptz default now())',
    );
    const values = [Array.from({ length: BATCH }, (_, at) => at), Array.from({ length: BATCH }, () => 1)];
    const meter = Meter.begin({ postgres }, { own: true });
    const until = performance.now() + seconds * 1000;
    let rows = 0;
    while (performance.now() < until) {
      const text = 'insert into limit_row (step, leaves, enters) select s, l, l + 1 from unnest($1::bigint[], $2::smallint[]) as r (s, l)';
      const { rowCount } = await client.query({ name: 'insert', text, values });
      rows += rowCount ?? 0;
    }
    const metered = meter.end();
    return figureOf('limit', 'insert', rows, metered, { rowsPerSecond: rows / metered.seconds });
  });
}

/** One row, one durable commit, one connection, nothing else going on. */
export async function measureCommit(url: string, postgres: number): Promise<Figure> {
  return await withClient(url, async (client) => {
    await client.query(
      'drop table if exists limit_commit; create table limit_commit (id bigint generated always as identity primary key, at timestamptz default now())',
    );
    const meter = Meter.begin({ postgres }, { own: true });
    const took: number[] = [];
    for (let at = 0; at < COMMITS; at += 1) {
      const began = performance.now();
      await client.query({ name: 'commit', text: 'insert into limit_commit default values' });
      took.push(performance.now() - began);
    }
    return figureOf('limit', 'commit', COMMITS, meter.end(), { p50Ms: percentile(took, 50), p99Ms: percentile(took, 99) });
  });
}
