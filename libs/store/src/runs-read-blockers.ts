import type { DataSource } from 'typeorm';
import type { StepState } from '#core';

/** The live row of a run that has not ended, with the limits of its scopes. */
export interface LiveRow {
  readonly phase: 'queued' | 'running' | 'waiting' | 'cancelling';
  readonly deploymentId: string;
  readonly workflowId: string;
  readonly team: string;
  readonly concurrencyKey: string | null;
  readonly concurrencyLimit: number | null;
  readonly deploymentLimit: number | null;
  readonly teamLimit: number | null;
  readonly deadlineAt: Date | null;
}

/** Who holds the places of a limit: how many, and the ids of the first few. */
export interface Holders {
  readonly holding: number;
  readonly holders: readonly string[];
}

export interface SessionRow {
  readonly session: string;
  readonly worker: string;
  readonly concurrency: number;
  readonly holding: number;
  readonly kinds: readonly string[];
  readonly beatAt: Date;
  readonly alive: boolean;
}

export interface ActiveStepRow {
  readonly stepNo: number;
  readonly name: string;
  readonly state: StepState;
  readonly attempt: number;
  readonly sinceSeconds: number;
  readonly worker: string | null;
  readonly timer: 'delay' | 'retry' | null;
  readonly dueAt: Date | null;
}

/** How many holders, sessions and steps an explanation lists. */
export const EXPLAINED_MAX = 20;
/** Counting of holders stops here. */
const HOLDERS_COUNTED_MAX = 10_000;

/** What a run waits for, as the database has it. */
export class RunBlockers {
  constructor(private readonly database: DataSource) {}

  async findLive(runId: string): Promise<LiveRow | undefined> {
    const [live] = await this.database.query<LiveRow[]>(
      `select l.phase, l.deployment_id as "deploymentId", l.workflow_id as "workflowId", l.team, l.concurrency_key as "concurrencyKey",
              l.concurrency_limit as "concurrencyLimit", d.concurrency_limit as "deploymentLimit", t.concurrency_limit as "teamLimit", l.deadline_at as "deadlineAt"
         from live_runs l join deployments d on d.id = l.deployment_id left join teams t on t.name = l.team where l.run_id = $1`,
      [runId],
    );
    return live;
  }

  runningIn(deploymentId: string): Promise<Holders> {
    return this.holders(`phase = 'running' and deployment_id = $1::uuid`, [deploymentId]);
  }

  runningOf(team: string): Promise<Holders> {
    return this.holders(`phase = 'running' and team = $1`, [team]);
  }

  holdingKey(workflowId: string, key: string): Promise<Holders> {
    return this.holders(`workflow_id = $1::uuid and concurrency_key = $2 and began`, [workflowId, key]);
  }

  /** Sessions of the deployment's workers, the newest heartbeat first. */
  sessions(deploymentId: string): Promise<SessionRow[]> {
    return this.database.query<SessionRow[]>(
      `select session, worker, concurrency, cardinality(held_steps) as holding, kinds, beat_at as "beatAt", expires_at > clock_timestamp() as alive
         from worker_sessions where deployment_id = $1 order by beat_at desc limit $2`,
      [deploymentId, EXPLAINED_MAX],
    );
  }

  /** Steps that are with workers or wait for a timer, with the worker that says it holds them. One more than is listed, to tell a cut. */
  activeSteps(runId: string, deploymentId: string): Promise<ActiveStepRow[]> {
    return this.database.query<ActiveStepRow[]>(
      `select s.step_no as "stepNo", s.name, s.state::text as state, s.attempt, extract(epoch from clock_timestamp() - s.changed_at)::float8 as "sinceSeconds",
              h.worker, t.kind as timer, t.due_at as "dueAt"
         from step_runs s
         left join timers t on t.run_id = s.run_id and t.step_no = s.step_no
         left join lateral (
           select w.worker from worker_sessions w, unnest(w.held_runs, w.held_steps) as held (run_id, step_no)
            where w.deployment_id = $2 and held.run_id = s.run_id and held.step_no = s.step_no limit 1
         ) h on true
        where s.run_id = $1 and s.state in ('DISPATCHED', 'RUNNING', 'RETRYING', 'WAITING')
        order by s.step_no limit $3`,
      [runId, deploymentId, EXPLAINED_MAX + 1],
    );
  }

  private async holders(condition: string, values: readonly unknown[]): Promise<Holders> {
    const [row] = await this.database.query<Holders[]>(
      `select count(*)::int as holding, coalesce((array_agg(run_id order by run_id))[1:5], '{}') as holders
         from (select run_id from live_runs where ${condition} limit ${HOLDERS_COUNTED_MAX}) as held`,
      [...values],
    );
    return row ?? { holding: 0, holders: [] };
  }
}
