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

/** Where the live runs of a state are found, by an index that has their ids in order: no index of the runs themselves holds their state. */
const LIVE_IN: Partial<Record<RunState, string>> = {
  CREATED: `phase = 'queued' and not held`,
  QUEUED: `phase = 'queued' and held`,
  RUNNING: `phase = 'running'`,
  WAITING: `phase = 'waiting'`,
  CANCELLING: `phase = 'cancelling'`,
};

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
    .add('r.workflow_id = ?::uuid', filter.workflowId)
    .add(`${id} >= flowforge_uuid_floor(?::timestamptz)`, filter.since)
    .add(`${id} < flowforge_uuid_floor(?::timestamptz)`, filter.until);
  const place = [
    ...(filter.environment === undefined ? [] : [`environment = ${where.bind(filter.environment)}`]),
    ...(filter.team === undefined ? [] : [`team = ${where.bind(filter.team)}`]),
  ];
  const cut = where.bind(limit);
  const page = `order by ${id} desc limit ${cut}`;
  const walks = filter.states
    ? [...new Set(filter.states)].map((state) => walkOf(state, place, `${where.sql} ${page}`))
    : [`(select r.* from workflow_runs r ${where.with(place)} ${page})`];
  return { sql: `${RUN_SUMMARY} from (${walks.join(' union all ')}) r ${RUN_NAMES} order by r.id desc limit ${cut}`, values: where.values };
}

/**
 * Each run is looked up as the walk comes to it. The inner limit leaves the planner no other way: merged, all runs are read for a rare state.
 * Ended runs have an index by environment, team and state; of the live ones, which are few, the row tells.
 */
function walkOf(state: RunState, place: readonly string[], rest: string): string {
  const live = LIVE_IN[state];
  const found = live ? `live_runs where ${live}` : `ended_runs where ${[`state = '${state}'`, ...place].join(' and ')}`;
  const told = [`id = s.run_id`, `state = '${state}'`, ...(live ? place : [])].join(' and ');
  return `(select r.* from (select run_id from ${found}) s cross join lateral (select * from workflow_runs where ${told} limit 1) r ${rest})`;
}
