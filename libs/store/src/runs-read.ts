import type { DataSource } from 'typeorm';
import type { DeploymentTier, Json, RunState, StepState } from '#core';
import { RUN_NAMES, RUN_SUMMARY, type RunFilter, runsPage } from './runs-page.ts';
import { Where } from './where.ts';

/** A run as lists show it. */
export interface RunSummaryRow {
  readonly id: string;
  readonly workflowId: string;
  readonly workflow: string;
  readonly workflowVersion: number;
  readonly environment: string | null;
  readonly team: string | null;
  readonly deployment: { readonly id: string; readonly name: string; readonly pool: string };
  readonly matchedBy: DeploymentTier;
  readonly state: RunState;
  readonly version: number;
  readonly reason: string | null;
  readonly retryOf: string | null;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly changedAt: Date;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
}

export interface StepRow {
  readonly stepNo: number;
  readonly state: StepState;
  readonly version: number;
  readonly attempt: number;
  readonly workerLosses: number;
  readonly reason: string | null;
  readonly error: { readonly code: string; readonly message: string; readonly retryable: boolean } | null;
  readonly createdAt: Date;
  readonly changedAt: Date;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
}

export interface TransitionRow {
  readonly seq: number;
  readonly stepNo: number;
  readonly step: string | null;
  readonly previousState: string | null;
  readonly newState: string;
  readonly version: number;
  readonly causeId: string;
  readonly actor: string;
  readonly reason: string | null;
  readonly attempt: number | null;
  readonly dispatchNo: number | null;
  readonly transitionedAt: Date;
  readonly createdAt: Date;
}

export interface LogLineRow {
  readonly stepNo: number;
  readonly step: string;
  readonly attempt: number;
  readonly dispatchNo: number;
  readonly line: number;
  readonly at: Date;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly text: string;
}

/** Place of a log line within its run. */
export type LogPlace = readonly [stepNo: number, dispatchNo: number, line: number];

const RUN_TABLES = `from workflow_runs r ${RUN_NAMES}`;
const STEP_COLUMNS = `s.step_no as "stepNo", s.state::text as state, s.version, s.attempt, s.worker_losses as "workerLosses", s.reason, o.error,
  s.created_at as "createdAt", s.changed_at as "changedAt", s.started_at as "startedAt", s.ended_at as "endedAt"`;

/** Plain reads of runs and of what hangs on them. Lists go by key, never by count or offset. */
export class RunViews {
  constructor(private readonly database: DataSource) {}

  /** Newest first; `before` is the last id of the page before. The bounds in time are those of the ids, made moments before the rows. */
  list(filter: RunFilter, before: string | null, limit: number): Promise<RunSummaryRow[]> {
    const { sql, values } = runsPage(filter, before, limit);
    return this.database.query<RunSummaryRow[]>(sql, [...values]);
  }

  async find(id: string): Promise<RunSummaryRow | undefined> {
    const [run] = await this.database.query<RunSummaryRow[]>(`${RUN_SUMMARY} ${RUN_TABLES} where r.id = $1`, [id]);
    return run;
  }

  findMany(ids: readonly string[]): Promise<RunSummaryRow[]> {
    return this.database.query<RunSummaryRow[]>(`${RUN_SUMMARY} ${RUN_TABLES} where r.id = any($1::uuid[])`, [ids]);
  }

  /** `remaining` is 0 once the run has ended. */
  async findDetail(id: string): Promise<(RunSummaryRow & { readonly input: Json; readonly remaining: number }) | undefined> {
    const [run] = await this.database.query<(RunSummaryRow & { input: Json; remaining: number })[]>(
      `${RUN_SUMMARY}, coalesce(i.input, '{}') as input, coalesce(l.remaining, 0) as remaining ${RUN_TABLES}
         left join run_inputs i on i.run_id = r.id left join live_runs l on l.run_id = r.id where r.id = $1`,
      [id],
    );
    return run;
  }

  /** Rows of the steps that have left PENDING, among those with these numbers. */
  steps(runId: string, numbers: readonly number[]): Promise<StepRow[]> {
    return this.database.query<StepRow[]>(
      `select ${STEP_COLUMNS} from step_runs s left join step_outputs o on o.run_id = s.run_id and o.step_no = s.step_no
        where s.run_id = $1 and s.step_no = any($2::int[]) order by s.step_no`,
      [runId, numbers],
    );
  }

  /** The state of every step that has left PENDING. */
  stepStates(runId: string): Promise<{ stepNo: number; state: StepState }[]> {
    return this.database.query('select step_no as "stepNo", state::text as state from step_runs where run_id = $1', [runId]);
  }

  outputs(runId: string, numbers: readonly number[]): Promise<{ stepNo: number; output: Json }[]> {
    return this.database.query('select step_no as "stepNo", output from step_outputs where run_id = $1 and step_no = any($2::int[])', [
      runId,
      numbers,
    ]);
  }

  /** The run's audit rows behind `after`, oldest first. */
  transitions(runId: string, after: number, limit: number): Promise<TransitionRow[]> {
    return this.database.query<TransitionRow[]>(
      `select seq::float8 as seq, step_no as "stepNo", step, previous_state as "previousState", new_state as "newState", version, cause_id as "causeId", actor, reason,
              attempt, dispatch_no as "dispatchNo", transitioned_at as "transitionedAt", created_at as "createdAt"
         from workflow_transition_audit where workflow_id = $1 and seq > $2::bigint order by seq limit $3`,
      [runId, after, limit],
    );
  }

  /** Lines behind `after`, step by step; of one step where `stepNo` is given. */
  logs(runId: string, stepNo: number | null, after: LogPlace | null, limit: number): Promise<LogLineRow[]> {
    const where = new Where()
      .add('l.run_id = ?::uuid', runId)
      .add('l.step_no = ?', stepNo)
      .addAll('(l.step_no, l.dispatch_no, l.line) > (?::int, ?::int, ?::int)', after);
    return this.database.query<LogLineRow[]>(
      `select l.step_no as "stepNo", s.name as step, l.attempt, l.dispatch_no as "dispatchNo", l.line, l.at, l.level, l.text
         from workflow_run_logs l join step_runs s on s.run_id = l.run_id and s.step_no = l.step_no
        ${where.sql} order by l.step_no, l.dispatch_no, l.line limit ${where.bind(limit)}`,
      where.values,
    );
  }
}
