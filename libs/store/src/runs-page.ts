import type { RunState } from '#core';
import { Where } from './where.ts';

export interface RunFilter {
  readonly environment?: string | undefined;
  readonly team?: string | undefined;
  /** Any of these, at least one. */
  readonly states?: readonly RunState[] | undefined;
  readonly workflowId?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

/** The columns of a run as lists show it. */
export const RUN_SUMMARY = `
  select r.id, r.workflow_id as "workflowId", w.name as workflow, r.workflow_version as "workflowVersion", r.environment, r.team,
         json_build_object('id', d.id, 'name', d.name, 'pool', d.pool) as deployment, r.matched_by as "matchedBy", r.state::text as state, r.version, r.reason,
         r.retry_of as "retryOf", r.created_by as "createdBy", r.created_at as "createdAt", r.changed_at as "changedAt",
         r.started_at as "startedAt", r.ended_at as "endedAt"`;
/** What `RUN_SUMMARY` needs beside the runs. */
export const RUN_NAMES = 'join workflows w on w.id = r.workflow_id join deployments d on d.id = r.deployment_id';

/** Where the runs of a state are found, by an index that has their ids in order: no index of the runs themselves holds their state. */
const FOUND_IN = {
  CREATED: `live_runs where phase = 'queued' and not held`,
  QUEUED: `live_runs where phase = 'queued' and held`,
  RUNNING: `live_runs where phase = 'running'`,
  WAITING: `live_runs where phase = 'waiting'`,
  CANCELLING: `live_runs where phase = 'cancelling'`,
  SUCCEEDED: `ended_runs where state = 'SUCCEEDED'`,
  FAILED: `ended_runs where state = 'FAILED'`,
  CANCELLED: `ended_runs where state = 'CANCELLED'`,
  TIMED_OUT: `ended_runs where state = 'TIMED_OUT'`,
} as const satisfies Record<RunState, string>;

/**
 * The statement of one page of a list of runs, newest first, with its values. `before` is the last id of the page before; bounds in time are those
 * of the ids. A walk per state, no longer than the page: in one walk of all states a rare one is a scan.
 */
export function runsPage(
  filter: RunFilter,
  before: string | null,
  limit: number,
): { readonly sql: string; readonly values: readonly unknown[] } {
  const id = filter.states ? 's.run_id' : 'r.id';
  const where = new Where()
    .add(`${id} < ?::uuid`, before)
    .add('r.environment = ?', filter.environment)
    .add('r.team = ?', filter.team)
    .add('r.workflow_id = ?::uuid', filter.workflowId)
    .add(`${id} >= flowforge_uuid_floor(?::timestamptz)`, filter.since)
    .add(`${id} < flowforge_uuid_floor(?::timestamptz)`, filter.until);
  const cut = where.bind(limit);
  const rest = `${where.sql} order by ${id} desc limit ${cut}`;
  const walks = filter.states
    ? [...new Set(filter.states)].map((state) => walkOf(state, rest))
    : [`(select r.* from workflow_runs r ${rest})`];
  return { sql: `${RUN_SUMMARY} from (${walks.join(' union all ')}) r ${RUN_NAMES} order by r.id desc limit ${cut}`, values: where.values };
}

/** Each run is looked up as the walk comes to it. The inner limit leaves the planner no other way: merged, all runs are read for a rare state. */
function walkOf(state: RunState, rest: string): string {
  return `(select r.* from (select run_id from ${FOUND_IN[state]}) s
    cross join lateral (select * from workflow_runs where id = s.run_id and state = '${state}' limit 1) r ${rest})`;
}
