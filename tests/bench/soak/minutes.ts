import type pg from 'pg';

/** A stretch of the soak: which runs were created in it, and what its submits met. */
export interface Stretch {
  /** The newest runs before and at its end. */
  readonly after: string;
  readonly upTo: string;
  readonly submits: number;
  readonly submitP99Ms: number;
}

/** From creation to durable end of the runs of a stretch, by the database's clock. */
export async function runP99Ms(client: pg.Client, { after, upTo }: Stretch): Promise<number> {
  const { rows } = await client.query<{ p99: number | null }>(
    `select percentile_cont(0.99) within group (order by extract(epoch from ended_at - created_at)::float8 * 1000) as p99
       from workflow_runs where id > $1::uuid and id <= $2::uuid`,
    [after, upTo],
  );
  return rows[0]?.p99 ?? Number.NaN;
}
