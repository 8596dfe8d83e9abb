import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { RUN_STATES } from '#core';
import { type TestDatabase, databaseServers } from '#testing';
import { HOT_SETTINGS } from '../hot-connection.ts';
import { type RunFilter, runsPage } from '../runs-page.ts';
import { statement } from '../statement.ts';

/** Tables that grow with the runs; a statement of the hot path never reads one of them from end to end. */
const GROWING =
  /^(workflow_runs|ended_runs|step_runs|live_runs|run_inputs|step_outputs|step_waits|timers|idempotency_keys|workflow_transition_audit|workflow_run_logs)/;
/** Indexes that hold only what is due or under way, so that reading one from its beginning is the point of it. */
const PARTIAL = new Set([
  'live_runs_queued',
  'live_runs_running',
  'live_runs_concurrency',
  'live_runs_cancelling',
  'live_runs_deadline',
  'timers_due',
]);
const RUNS = 20_000;
const PAGE = 50;

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Index Cond'?: string;
  readonly 'Actual Rows'?: number;
  readonly 'Actual Loops'?: number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly PlanNode[];
}

/** Rows that a node that was carried out has looked at. */
function rowsRead(node: PlanNode): number {
  return ((node['Actual Rows'] ?? 0) + (node['Rows Removed by Filter'] ?? 0)) * (node['Actual Loops'] ?? 0);
}

const names = readdirSync(new URL('.', import.meta.url))
  .filter((file) => file.endsWith('.sql'))
  .map((file) => file.slice(0, -'.sql'.length));

/** One run in so many is of the other workflow, in the other environment, of the other team, or has failed; no two of these at once. */
const RARELY = 2_000;

/**
 * Live rows of which a few hundred are queued, running, waiting; the others have ended, and few of them are what most are not. The triggers are
 * silent: only the plans matter.
 */
const FILL = `
  set session_replication_role = replica;
  insert into work_pools (name, purpose) values ('plans', 'tests');
  insert into deployments (id, name, pool, namespace) values ('00000000-0000-4000-8000-000000000001', 'plans', 'plans', 'plans');
  insert into workflows (id, name, environment, created_by_id) values ('00000000-0000-4000-8000-000000000002', 'plans', 'qa', 'tester');
  insert into workflows (id, name, environment, created_by_id) values ('00000000-0000-4000-8000-000000000003', 'rare', 'qa', 'tester');
  insert into workflow_versions (workflow_id, version, checksum, definition, plan, source, created_by)
    values ('00000000-0000-4000-8000-000000000002', 1, 'x', '{}', '{"steps":[]}', '', 'tester');
  create temp table made as select flowforge_uuidv7() as id, n from generate_series(1, ${RUNS}) as n;
  insert into workflow_runs (id, environment, team, workflow_id, workflow_version, deployment_id, matched_by, created_by, state, version, cause_id, actor, ended_at)
    select id, case n % ${RARELY} when 1 then 'uat' when 2 then null else 'qa' end, case n % ${RARELY} when 3 then 'small' when 4 then null else case when n % 20 = 0 then 'team-' || n % 7 else 'large' end end,
           case n % ${RARELY} when 5 then '00000000-0000-4000-8000-000000000003' else '00000000-0000-4000-8000-000000000002' end::uuid, 1,
           '00000000-0000-4000-8000-000000000001', 'default', 'tester',
           (case when n % ${RARELY} = 6 then 'FAILED' when n % 20 > 0 then 'SUCCEEDED' else (array['CREATED', 'RUNNING', 'WAITING', 'CANCELLING'])[n / 20 % 4 + 1] end)::run_state, 3, gen_random_uuid(), 'tester', case when n % 20 > 0 then now() end from made;
  insert into ended_runs (state, run_id, workflow_id, environment, team)
    select state, id, workflow_id, coalesce(environment, ''), coalesce(team, '') from workflow_runs where ended_at is not null;
  insert into run_inputs select id, '{}' from made;
  insert into live_runs (run_id, remaining, active, deployment_id, workflow_id, phase, environment, team, concurrency_key, concurrency_limit, deadline_at)
    select id, 1, 1, '00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002',
           (array['queued', 'running', 'waiting', 'cancelling'])[n / 20 % 4 + 1], 'qa', 'team-' || n % 7, 'key-' || n % 50, 5, now() + interval '1 hour' from made where n % 20 = 0;
  insert into step_runs (run_id, step_no, name, state, version, epoch, dispatch_no, timeout_seconds, cause_id, actor, ended_at)
    select id, no, 's' || no, (case when n % 20 = 0 and no = 3 then 'RUNNING' else 'SUCCEEDED' end)::step_state, 3, 1, 1, 300, gen_random_uuid(), 'tester',
           case when n % 20 > 0 or no < 3 then now() end
      from made, generate_series(1, 3) as no;
  insert into step_outputs (run_id, step_no, output) select id, no, '{}' from made, generate_series(1, 2) as no;
  insert into step_waits (run_id, step_no, unmet) select id, no, 1 from made, generate_series(4, 5) as no where n % 20 = 0;
  insert into timers (run_id, step_no, kind, due_at) select id, 3, 'retry', now() + n * interval '1 second' from made where n % 20 = 0;
  insert into idempotency_keys (scope, key, body_hash, run_id) select 'tester', n::text, '\\x00', id from made;
  insert into worker_sessions (session, deployment_id, worker, concurrency, kinds, held_runs, held_steps, held_dispatches, expires_at)
    select gen_random_uuid(), '00000000-0000-4000-8000-000000000001', 'w', 4, '{}', array_agg(id), array_agg(3), array_agg(1), now() + interval '1 minute'
      from made where n % 20 = 0 group by n % 10;
  insert into workflow_transition_audit (workflow_id, step_no, version, new_state, cause_id, actor, transitioned_at)
    select id, 0, 1, 'CREATED', gen_random_uuid(), 'tester', now() from made;
  insert into workflow_run_logs (run_id, step_no, attempt, dispatch_no, line, at, level, text) select id, 1, 1, 1, 1, now(), 'info', 'x' from made;
  set session_replication_role = origin;
  analyze`;

describe.each(databaseServers())('the plans of the hot statements on $name', ({ cloneDatabase }) => {
  let database: TestDatabase;
  let fresh: TestDatabase;
  let quiet: TestDatabase;
  let early: TestDatabase;
  const clients: pg.Client[] = [];

  const connect = async (url: string, options?: string) => {
    const client = new pg.Client({ connectionString: url, ...(options ? { options } : {}) });
    clients.push(client);
    await client.connect();
    return client;
  };

  beforeAll(async () => {
    [database, fresh, quiet, early] = [await cloneDatabase(), await cloneDatabase(), await cloneDatabase(), await cloneDatabase()];
    const [admin, other] = [await connect(database.superuserUrl), await connect(quiet.superuserUrl)];
    await admin.query(FILL);
    await other.query(FILL);
    // The newest row stays, and with it all pages before it.
    for (const table of ['live_runs', 'step_waits', 'timers', 'worker_sessions']) {
      await other.query(`delete from ${table} where ctid <> (select max(ctid) from ${table})`);
      await other.query(`vacuum analyze ${table}`);
    }
    await (await connect(early.superuserUrl)).query('vacuum analyze');
  }, 120_000);
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.end()));
    await Promise.all([database.drop(), fresh.drop(), quiet.drop(), early.drop()]);
  });

  /** The generic plan, as a hot connection has it, of a statement that is sent with these many parameters. */
  const planOf = async (client: pg.Client, name: string): Promise<PlanNode> => {
    const { text } = statement(name);
    const count = Math.max(0, ...[...text.matchAll(/\$(\d+)/g)].map(([, no]) => Number(no)));
    await client.query(`prepare "${name}" as ${text}`);
    const nulls = count > 0 ? `(${Array.from({ length: count }, () => 'null').join(', ')})` : '';
    const { rows } = await client.query<{ 'QUERY PLAN': readonly { readonly Plan: PlanNode }[] }>(
      `explain (format json) execute "${name}" ${nulls}`,
    );
    await client.query(`deallocate "${name}"`);
    const plan = rows[0]?.['QUERY PLAN'][0]?.Plan;
    if (!plan) throw new Error(`No plan of ${name}.`);
    return plan;
  };

  const nodesOf = (plan: PlanNode): PlanNode[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];
  /** Reads of a whole table: one after the other, or along an index without a condition. */
  const scansOf = (plan: PlanNode) =>
    nodesOf(plan)
      .filter((node) => GROWING.test(node['Relation Name'] ?? ''))
      .filter(
        (node) =>
          node['Node Type'] === 'Seq Scan' ||
          (node['Node Type'].startsWith('Index') && !node['Index Cond'] && !PARTIAL.has(node['Index Name'] ?? '')),
      )
      .map((node) => `${node['Node Type']} ${node['Relation Name']} ${node['Index Name'] ?? ''}`.trim());

  it.each(names)('%s goes by indexes, in a database that is filled', async (name) => {
    const client = await connect(database.superuserUrl, HOT_SETTINGS);
    expect(scansOf(await planOf(client, name))).toEqual([]);
  });

  it.each(names)('%s goes by indexes, in a database that is fresh', async (name) => {
    const client = await connect(fresh.superuserUrl, HOT_SETTINGS);
    expect(scansOf(await planOf(client, name))).toEqual([]);
  });

  // A plan is made once and kept: one that reads a whole table because it holds one row now is quadratic when the next thousand runs come.
  it.each(names)('%s goes by indexes, in a database that was last analysed when hardly a run was under way', async (name) => {
    const client = await connect(quiet.superuserUrl, HOT_SETTINGS);
    expect(scansOf(await planOf(client, name))).toEqual([]);
  });

  it.each(names)('%s goes by indexes, in a database that was analysed before its first run', async (name) => {
    const client = await connect(early.superuserUrl, HOT_SETTINGS);
    expect(scansOf(await planOf(client, name))).toEqual([]);
  });

  it('tells a read of a whole table', async () => {
    const client = await connect(database.superuserUrl, HOT_SETTINGS);
    await client.query('prepare whole as select count(*) from step_runs where dispatch_no = $1');
    const { rows } = await client.query<{ 'QUERY PLAN': readonly { readonly Plan: PlanNode }[] }>(
      'explain (format json) execute whole (1)',
    );
    expect(rows[0] && scansOf(rows[0]['QUERY PLAN'][0]?.Plan ?? { 'Node Type': 'none' })).toHaveLength(1);
  });

  // Not by the hot connections' settings alone: there is an index that the planner would take of its own.
  it.each(names)('%s has an index for what it looks up, whatever the settings', async (name) => {
    const client = await connect(database.superuserUrl, '-c plan_cache_mode=force_generic_plan -c jit=off');
    const scans = scansOf(await planOf(client, name));
    // A generic plan knows nothing of the lengths of lists: a hash over a table of live rows only is a fair choice.
    expect(scans.filter((scan) => !/live_runs|step_waits|timers/.test(scan))).toEqual([]);
  });

  const most = { workflowId: '00000000-0000-4000-8000-000000000002', environment: 'qa', team: 'large', states: ['SUCCEEDED'] } as const;
  const few = { workflowId: '00000000-0000-4000-8000-000000000003', environment: 'uat', team: 'small', states: ['FAILED'] } as const;
  const FILTERS = [
    {},
    ...RUN_STATES.map((state) => ({ states: [state] })),
    { states: RUN_STATES },
    ...(['workflowId', 'environment', 'team'] as const).flatMap((name) =>
      [most, few].flatMap((one) => [
        { [name]: one[name] },
        { [name]: one[name], states: most.states },
        { [name]: one[name], states: few.states },
        { [name]: one[name], states: ['SUCCEEDED', 'FAILED', 'CANCELLED', 'TIMED_OUT', 'WAITING'] as const },
      ]),
    ),
    ...['qa', 'uat', 'nowhere'].flatMap((environment) =>
      ['large', 'small', 'nobody'].flatMap((team) => [
        { environment, team },
        { environment, team, states: ['SUCCEEDED', 'FAILED'] as const },
      ]),
    ),
  ];

  /** The page as whoever reads every run would put it together. */
  const pageOf = async (client: pg.Client, { workflowId, environment, team, states }: RunFilter, before: string | null) => {
    const { rows } = await client.query<{ id: string }>(
      `select id from workflow_runs
        where ($1::uuid is null or id < $1) and ($2::uuid is null or workflow_id = $2) and ($3::text is null or environment = $3)
          and ($4::text is null or team = $4) and ($5::run_state[] is null or state = any ($5))
        order by id desc limit ${PAGE}`,
      [before, workflowId ?? null, environment ?? null, team ?? null, states ?? null],
    );
    return rows.map(({ id }) => id);
  };

  it.each(FILTERS)('a page of the list by %j holds its runs, and few of the others are read for it', async (filter: RunFilter) => {
    const client = await connect(database.superuserUrl);
    const namesTeamAlone = filter.team !== undefined && filter.environment === undefined && filter.workflowId === undefined;
    const far = await client.query<{ id: string }>('select id from workflow_runs order by id offset $1 limit 1', [RUNS / 2]);
    for (const before of [null, far.rows[0]?.id ?? null]) {
      const { sql, values } = runsPage(filter, before, PAGE);
      const page = await client.query<{ id: string }>(sql, [...values]);
      expect(page.rows.map(({ id }) => id)).toEqual(await pageOf(client, filter, before));
      const { rows } = await client.query<{ 'QUERY PLAN': readonly { readonly Plan: PlanNode }[] }>(
        `explain (analyze, format json) ${sql}`,
        [...values],
      );
      const nodes = rows.flatMap((row) => row['QUERY PLAN']).flatMap(({ Plan }) => nodesOf(Plan));
      const history = nodes.filter((node) => /^(workflow|ended)_runs/.test(node['Relation Name'] ?? ''));
      expect(history.length).toBeGreaterThanOrEqual(1);
      expect(history.filter((node) => node['Node Type'] === 'Seq Scan')).toEqual([]);
      // A team alone is walked in each environment in which it has runs: three of them here.
      for (const node of history) expect(rowsRead(node)).toBeLessThanOrEqual(namesTeamAlone ? 3 * PAGE : PAGE + 10);
    }
  });

  it('writes the moves of runs and steps in place: no index holds a column that they change', async () => {
    const client = await connect(database.superuserUrl);
    const { rows } = await client.query<{ held: string }>(`
      select distinct format('%s(%s)', i.indexrelid::regclass, a.attname) as held
        from pg_index i
        join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = i.indexrelid and d.refobjid = i.indrelid and d.refobjsubid > 0
        join pg_attribute a on a.attrelid = i.indrelid and a.attnum = d.refobjsubid
       where i.indrelid in ('workflow_runs'::regclass, 'step_runs'::regclass)
         and has_column_privilege('flowforge_scheduler', i.indrelid, a.attnum, 'update')`);
    expect(rows).toEqual([]);
  });
});
