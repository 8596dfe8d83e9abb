import type pg from 'pg';

/** One dispatch of a step. */
export interface Dispatch {
  readonly runId: string;
  readonly stepNo: number;
  readonly dispatchNo: number;
}

/** Questions to the database of a town. */
export class Records {
  constructor(private readonly owner: pg.Client) {}

  liveRuns(): Promise<number> {
    return this.count('live_runs');
  }

  /** Steps that workers have been given and that have not ended. */
  underWay(): Promise<number> {
    return this.count('step_runs', `state in ('DISPATCHED', 'RUNNING')`);
  }

  /** The name of a worker that has said, since its last end, that it holds steps. */
  async holder(): Promise<string | undefined> {
    const { rows } = await this.owner.query<{ worker: string }>(
      `select worker from worker_sessions where cardinality(held_runs) > 0 and expires_at > clock_timestamp() order by beat_at desc limit 1`,
    );
    return rows[0]?.worker;
  }

  /** Whether this worker said a moment ago that it has begun steps. */
  async hasBegun(worker: string): Promise<boolean> {
    const { rows } = await this.owner.query(
      `select from worker_sessions where worker = $1 and held_begun > 0 and beat_at > clock_timestamp() - interval '0.2 s'`,
      [worker],
    );
    return rows.length > 0;
  }

  /** How many of these dispatches are void by now: the step was given out again, or has ended. */
  async replaced(dispatches: readonly Dispatch[]): Promise<number> {
    const { rows } = await this.owner.query<{ n: number }>(
      `select count(*)::int as n from step_runs s join unnest($1::uuid[], $2::int[], $3::int[]) as h (run_id, step_no, dispatch_no)
           on (s.run_id, s.step_no) = (h.run_id, h.step_no)
        where s.dispatch_no > h.dispatch_no or s.ended_at is not null`,
      [dispatches.map(({ runId }) => runId), dispatches.map(({ stepNo }) => stepNo), dispatches.map(({ dispatchNo }) => dispatchNo)],
    );
    return rows[0]?.n ?? 0;
  }

  /** Audited transitions of a step under a token older than one that it had before. */
  async staleCommits(): Promise<number> {
    const { rows } = await this.owner.query<{ n: number }>(
      `select count(*)::int as n from (
         select dispatch_no, max(dispatch_no) over (partition by workflow_id, step_no order by version) as newest
           from workflow_transition_audit where step_no > 0) as moves
        where dispatch_no < newest`,
    );
    return rows[0]?.n ?? 0;
  }

  /** What has not ended, for people: runs, their steps, and who holds what. */
  async open(): Promise<string[]> {
    const { rows } = await this.owner.query<{ line: string }>(
      `select format('run %s %s remaining %s active %s waiting %s', run_id, phase, remaining, active, waiting) as line from live_runs
       union all
       select format('step %s %s %s dispatch %s since %s', s.run_id, s.name, s.state, s.dispatch_no, s.changed_at)
         from step_runs s join live_runs using (run_id) where s.ended_at is null
       union all
       select format('session %s of %s until %s holds %s', session, worker, expires_at, held_runs) from worker_sessions
       union all
       select format('leader %s until %s, now %s', holder, expires_at, clock_timestamp()) from leader_leases`,
    );
    return rows.map(({ line }) => line);
  }

  /** Runs that ended otherwise than well. */
  async ends(): Promise<{ id: string; state: string }[]> {
    const { rows } = await this.owner.query<{ id: string; state: string }>(
      `select id, state from workflow_runs where state <> 'SUCCEEDED' order by id`,
    );
    return rows;
  }

  /** Steps by their idempotency keys, except those of these names. */
  async steps(except: readonly string[]): Promise<Map<string, string>> {
    const { rows } = await this.owner.query<{ key: string; state: string }>(
      `select run_id || ':' || step_no as key, state from step_runs where name <> all ($1)`,
      [except],
    );
    return new Map(rows.map(({ key, state }) => [key, state]));
  }

  private async count(table: 'live_runs' | 'step_runs', where = 'true'): Promise<number> {
    const { rows } = await this.owner.query<{ n: number }>(`select count(*)::int as n from ${table} where ${where}`);
    return rows[0]?.n ?? 0;
  }
}
