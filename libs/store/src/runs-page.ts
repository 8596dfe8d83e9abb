import { RUN_STATES, isTerminalRun, type RunState, type TerminalRunState } from '#core';

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

/** Where the live runs of a state are found; no index of the runs themselves holds their state. */
const LIVE_IN: Readonly<Record<Exclude<RunState, TerminalRunState>, string>> = {
  CREATED: `phase = 'queued' and not held`,
  QUEUED: `phase = 'queued' and held`,
  RUNNING: `phase = 'running'`,
  WAITING: `phase = 'waiting'`,
  CANCELLING: `phase = 'cancelling'`,
};

/** Conditions whose values are bound already. */
interface Conditions {
  readonly workflow: readonly string[];
  readonly environment: readonly string[];
  readonly team: readonly string[];
  /** On the ids: behind the page before, and within the bounds in time. */
  readonly ids: readonly string[];
  /** Order and length of a walk. */
  readonly page: string;
}

/**
 * The statement of one page of a list of runs, newest first, with its values. `before` is the last id of the page before; bounds in time are those
 * of the ids. It walks along an index for each state that ends runs, and along the live ones, no further than the page is long: in one walk of
 * all, the runs of a rare state, team or environment are a scan.
 */
export function runsPage(
  filter: RunFilter,
  before: string | null,
  limit: number,
): { readonly sql: string; readonly values: readonly unknown[] } {
  const values: unknown[] = [];
  const given = (condition: string, value: unknown) =>
    value === undefined || value === null ? [] : [condition.replace('?', `$${values.push(value)}`)];
  const conditions: Conditions = {
    workflow: given('workflow_id = ?::uuid', filter.workflowId),
    environment: given('environment = ?', filter.environment),
    team: given('team = ?', filter.team),
    ids: [
      ...given('run_id < ?::uuid', before),
      ...given('run_id >= flowforge_uuid_floor(?::timestamptz)', filter.since),
      ...given('run_id < flowforge_uuid_floor(?::timestamptz)', filter.until),
    ],
    page: `order by run_id desc limit $${values.push(limit)}`,
  };
  const found = `select run_id from (${walks(filter, conditions).join(' union all ')}) w ${conditions.page}`;
  const sql = `${environmentsOf(conditions)}${RUN_SUMMARY}
    from (${found}) s join workflow_runs r on r.id = s.run_id ${RUN_NAMES} order by r.id desc`;
  return { sql, values };
}

function walks({ states }: RunFilter, conditions: Conditions): string[] {
  const { workflow, environment, team, ids, page } = conditions;
  if (!states && [workflow, environment, team].every((one) => one.length === 0))
    return [`(select run_id from (select id as run_id from workflow_runs) r ${where(ids)} ${page})`];
  const wanted = new Set(states ?? RUN_STATES);
  return [...liveWalk(wanted, conditions), ...[...wanted].filter(isTerminalRun).map((state) => endedWalk(state, conditions))];
}

/** One walk for all live runs: they are few, and their rows are narrow. */
function liveWalk(wanted: ReadonlySet<RunState>, { workflow, environment, team, ids, page }: Conditions): string[] {
  const phases = [...wanted].flatMap((state) => (isTerminalRun(state) ? [] : LIVE_IN[state]));
  if (phases.length === 0) return [];
  return [`(select run_id from live_runs ${where([`(${phases.join(' or ')})`, ...workflow, ...environment, ...team, ...ids])} ${page})`];
}

function endedWalk(state: RunState, conditions: Conditions): string {
  const { workflow, environment, team, ids, page } = conditions;
  const walk = (place: readonly string[]) =>
    `select run_id from ended_runs ${where([`state = '${state}'`, ...workflow, ...place, ...ids])} ${page}`;
  if (!namesTeamAlone(conditions)) return `(${walk([...environment, ...team])})`;
  return `(select e.run_id from environments_of_team p cross join lateral (${walk([...team, 'environment = p.environment'])}) e)`;
}

/** The index by team goes by environment, too: it is walked for each in which the team has runs. A workflow has an index of its own. */
function namesTeamAlone({ workflow, environment, team }: Conditions): boolean {
  return team.length > 0 && environment.length === 0 && workflow.length === 0;
}

function environmentsOf(conditions: Conditions): string {
  if (!namesTeamAlone(conditions)) return '';
  const next = (behind: readonly string[]) =>
    `select environment from ended_runs ${where([...conditions.team, ...behind])} order by environment limit 1`;
  return `with recursive environments_of_team (environment) as (
    (${next([])}) union all select (${next(['environment > p.environment'])}) from environments_of_team p where p.environment is not null) `;
}

function where(conditions: readonly string[]): string {
  return conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`;
}
