import type pg from 'pg';

/** One second of the run: runs that ended in it, and runs that had begun and not ended at its end. */
export interface Second {
  /** Seconds since the beginning. */
  readonly at: number;
  readonly ended: number;
  readonly open: number;
}

/** Progress over time, from the audit. */
export async function readSeries(client: pg.ClientBase, from: number, until: number): Promise<Second[]> {
  const { rows } = await client.query<{ second: number; begun: number; ended: number }>(
    `select floor(extract(epoch from created_at) - $1)::int as second, count(*) filter (where new_state = 'CREATED')::int as begun,
            count(*) filter (where new_state <> 'CREATED')::int as ended
       from workflow_transition_audit
      where step_no = 0 and new_state in ('CREATED', 'SUCCEEDED', 'FAILED', 'CANCELLED', 'TIMED_OUT') group by 1`,
    [from / 1000],
  );
  const bySecond = new Map(rows.map((row) => [row.second, row]));
  const seconds: Second[] = [];
  let open = 0;
  for (let at = Math.min(0, ...bySecond.keys()); at <= (until - from) / 1000; at += 1) {
    const { begun = 0, ended = 0 } = bySecond.get(at) ?? {};
    open += begun - ended;
    if (at >= 0) seconds.push({ at, ended, open });
  }
  return seconds;
}
