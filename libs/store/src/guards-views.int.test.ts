import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { type TestDatabase, databaseServers } from '#testing';
import { connected, Given } from './checker/given.ts';
import { givenEndedRuns } from './checker/given-mixed.ts';

/** Index, the table it is on, and a query that is to use it. */
const INDEXES = [
  ['idx_workflows_environment', 'workflows', `select id from workflows where environment = 'uat'`],
  ['idx_workflows_team', 'workflows', `select id from workflows where team = 'team-7'`],
  ['idx_workflows_env_team', 'workflows', `select id from workflows where environment = 'uat' and team = 'team-7'`],
  ['idx_workflow_enabled', 'workflows', 'select id from workflows where enabled = false'],
  ['idx_workflow_category', 'workflows', `select id from workflows where category = 'category-7'`],
  ['idx_workflow_created_by', 'workflows', `select id from workflows where created_by_id = 'user-7'`],
  ['idx_intent_workflows_state', 'live_runs', `select id from intent_workflows where state = 'WAITING'`],
  [
    'idx_execution_workflow_id',
    'ended_runs',
    `select id from workflow_executions where workflow_id = '018f0000-0000-7000-8000-000000000000'`,
  ],
  ['idx_execution_status', 'ended_runs', `select id from intent_workflows where state = 'FAILED' order by id limit 50`],
  ['idx_execution_started_at', 'ended_runs', `select id from workflow_executions where started_at > now() - interval '1 minute'`],
  ['idx_log_execution_id', 'workflow_run_logs', 'select text from workflow_run_logs where run_id = $RUN'],
  ['idx_log_timestamp', 'workflow_run_logs', `select text from workflow_run_logs where at > now() - interval '1 minute'`],
] as const;

describe.each(databaseServers())('names that operators know, on $name', ({ cloneDatabase }) => {
  let database: TestDatabase;
  let given: Given;
  let superuser: pg.Client;
  let runId: string;

  beforeAll(async () => {
    database = await cloneDatabase();
    given = await Given.open(database);
    const { succeeded } = await givenEndedRuns(given);
    runId = succeeded.id;
    superuser = await connected(database.superuserUrl);
    await fill(superuser);
  });

  afterAll(async () => {
    await superuser.end();
    await given.close();
    await database.drop();
  });

  describe('indexes', () => {
    it.each(INDEXES)('%s is on %s and is used', async (index, table, query) => {
      const { rows } = await superuser.query('select tablename from pg_indexes where indexname = $1', [index]);
      expect(rows).toEqual([{ tablename: table }]);
      const plan = await superuser.query<{ 'QUERY PLAN': unknown }>(`explain (format json) ${query.replace('$RUN', `'${runId}'`)}`);
      const used = [...JSON.stringify(plan.rows).matchAll(/"Index Name":"([^"]+)"/g)].map(([, name]) => name);
      // Of a partitioned index, plans name the partition's part.
      const { rows: parts } = await superuser.query<{ name: string }>(
        'select $1::text as name union all select inhrelid::regclass::text from pg_inherits where inhparent = $1::text::regclass',
        [index],
      );
      expect(parts.map(({ name }) => name).filter((name) => used.includes(name))).not.toEqual([]);
    });
  });

  it.each(['api', 'scheduler'] as const)('answers the queries of the handbook for the %s', async (service) => {
    const client = given[service];
    const state = await client.query(
      `SELECT column_name, data_type, udt_name FROM information_schema.columns WHERE table_name = 'intent_workflows' AND column_name = 'state'`,
    );
    expect(state.rows).toEqual([{ column_name: 'state', data_type: 'USER-DEFINED', udt_name: 'run_state' }]);
    const audit = await client.query(`SELECT table_name FROM information_schema.tables WHERE table_name = 'workflow_transition_audit'`);
    expect(audit.rows).toEqual([{ table_name: 'workflow_transition_audit' }]);
    const newest = await client.query(
      `SELECT workflow_id, previous_state, new_state, transitioned_at, created_at FROM workflow_transition_audit ORDER BY created_at DESC LIMIT 5`,
    );
    expect(newest.rows).toHaveLength(5);
    for (const row of newest.rows) expect(Object.values(row)).not.toContain(null);
    const lastHour = await client.query<{ count: string }>(
      `SELECT COUNT(*) FROM workflow_transition_audit WHERE created_at > NOW() - INTERVAL '1 hour'`,
    );
    expect(Number(lastHour.rows[0]?.count)).toBeGreaterThan(5);
    const byState = await client.query(`SELECT state, COUNT(*) FROM intent_workflows GROUP BY state`);
    expect(byState.rows.length).toBeGreaterThan(2);
  });

  it('fills every field of the audit; only a creation has no previous state', async () => {
    const { rows } = await superuser.query(
      `select column_name from information_schema.columns where table_name = 'workflow_transition_audit' and is_nullable = 'NO' order by 1`,
    );
    const filled = rows.map(({ column_name }) => column_name);
    expect(filled).toEqual(expect.arrayContaining(['workflow_id', 'new_state', 'transitioned_at', 'created_at', 'actor', 'cause_id']));
    await expect(
      superuser.query(`set session_replication_role = replica; insert into workflow_transition_audit
        (workflow_id, step_no, version, new_state, cause_id, actor, transitioned_at) values (flowforge_uuidv7(), 0, 1, 'RUNNING', gen_random_uuid(), 'x', now())`),
    ).rejects.toMatchObject({ code: '23514' });
  });

  it('answers in both styles of columns through views that nobody writes', async () => {
    const { api } = given;
    const snake = await api.query(`select workflow_id, status, started_at, completed_at from workflow_executions where id = $1`, [runId]);
    const camel = await api.query(`select "workflowId", status, "startedAt", "completedAt" from "WorkflowExecution" where id = $1`, [
      runId,
    ]);
    expect(snake.rows).toMatchObject([{ status: 'SUCCESS' }]);
    expect(Object.values(camel.rows[0])).toEqual(Object.values(snake.rows[0]));
    const logs = await api.query(`select "executionId", "timestamp", level, message from "WorkflowExecutionLog" where "executionId" = $1`, [
      runId,
    ]);
    const logsToo = await api.query(
      `select execution_id, "timestamp", level, message from workflow_execution_logs where execution_id = $1`,
      [runId],
    );
    expect(Object.values(logs.rows[0])).toEqual(Object.values(logsToo.rows[0]));
    expect((await api.query(`select id, name, enabled, category, "createdById", "createdAt" from "Workflow" limit 1`)).rowCount).toBe(1);
    for (const client of [given.api, given.scheduler]) {
      for (const view of [
        'workflow_executions',
        'intent_workflows',
        'workflow_execution_logs',
        '"Workflow"',
        '"WorkflowExecution"',
        '"WorkflowExecutionLog"',
      ]) {
        await expect(client.query(`delete from ${view}`)).rejects.toMatchObject({ code: expect.stringMatching(/42501|55000/) });
      }
    }
  });

  it('refuses a state that is not in the graph', async () => {
    await expect(given.scheduler.query(`update workflow_runs set state = 'SUCCESS'`)).rejects.toMatchObject({ code: '22P02' });
  });
});

/** Enough rows that an index is worth its while. */
async function fill(superuser: pg.Client): Promise<void> {
  await superuser.query(`
    set session_replication_role = replica;
    insert into teams (name) select 'team-' || n from generate_series(1, 50) n;
    insert into workflows (name, environment, team, enabled, category, created_by_id)
      select 'flow ' || n, (array['production', 'uat', 'qa', 'development'])[1 + n / 50 % 4], 'team-' || (1 + n % 50), n % 100 <> 0, 'category-' || n % 90, 'user-' || n % 90
        from generate_series(1, 5000) n;
    insert into workflow_runs (id, workflow_id, workflow_version, deployment_id, matched_by, created_by, state, version, cause_id, actor, started_at, ended_at)
      select flowforge_uuidv7(), w.id, 1, r.deployment_id, 'default', 'x', 'SUCCEEDED', 3, gen_random_uuid(), 'x', now() - interval '1 day', now()
        from workflows w cross join lateral (select deployment_id from workflow_runs limit 1) r;
    insert into ended_runs (state, run_id, started_at, workflow_id, environment, team) select state, id, started_at, workflow_id, '', '' from workflow_runs where created_by = 'x';
    insert into live_runs (run_id, remaining, deployment_id, workflow_id) select flowforge_uuidv7(), 1, id, id from deployments, generate_series(1, 5000);
    insert into workflow_run_logs (run_id, step_no, attempt, dispatch_no, line, at, level, text)
      select id, 1, 1, 1, 1, now() - interval '1 day', 'info', 'x' from workflow_runs where created_by = 'x';
    set session_replication_role = origin; analyze`);
}
