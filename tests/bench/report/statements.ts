import type { World } from '../flowforge/world.ts';
import { withClient } from '../servers.ts';
import { say } from './say.ts';

const SHOWN_MAX = 20;

interface StatementRow {
  readonly ms: number;
  readonly calls: string;
  readonly rows: string;
  readonly wal: string;
  readonly query: string;
}

/** What PostgreSQL spent its time on since the last call, with the records that went into its log. Needs servers with statistics. */
export async function tellStatements(world: World): Promise<void> {
  await withClient(world.database.superuserUrl, async (client) => {
    await client.query('create extension if not exists pg_stat_statements');
    const { rows } = await client.query<StatementRow>(
      `select s.total_exec_time as ms, s.calls, s.rows, s.wal_records as wal, left(regexp_replace(s.query, '\\s+', ' ', 'g'), 100) as query
         from pg_stat_statements s join pg_database d on d.oid = s.dbid
        where d.datname = current_database() and s.total_exec_time > 1 order by s.total_exec_time desc limit ${SHOWN_MAX}`,
    );
    for (const { ms, calls, rows: count, wal, query } of rows)
      say(`  ${ms.toFixed(0).padStart(7)} ms ${calls.padStart(7)} calls ${count.padStart(8)} rows ${wal.padStart(8)} wal  ${query}`);
    await client.query('select pg_stat_statements_reset()');
  });
}
