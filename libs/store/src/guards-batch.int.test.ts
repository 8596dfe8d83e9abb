import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { type TestDatabase, databaseServers, eventually } from '#testing';
import { connected, Given } from './checker/given.ts';
import { type PlanNode, rowsThrough } from './checker/plan-work.ts';

const batch = 10_000;

describe.each(databaseServers())('the guards under a batch on $name', ({ cloneDatabase }) => {
  let database: TestDatabase;
  let given: Given;

  beforeAll(async () => {
    database = await cloneDatabase();
    given = await Given.open(database);
  });

  afterAll(async () => {
    await given.close();
    await database.drop();
  });

  // Seen to go wrong: planned for one row, the join of old and new rows was a nested loop, and 10,000 rows took 100,000,000 comparisons.
  it(`does work in proportion to ${batch} rows, also after single rows have shaped its plans`, async () => {
    const { api, scheduler } = given;
    const model = await given.submit([{}]);
    await api.query(
      `insert into workflow_runs (id, workflow_id, workflow_version, deployment_id, matched_by, created_by, state, version, cause_id, actor)
       select flowforge_uuidv7(), workflow_id, workflow_version, deployment_id, 'default', 'ann', 'CREATED', 1, gen_random_uuid(), 'ann'
         from workflow_runs, generate_series(1, ${batch}) where id = $1`,
      [model.id],
    );
    await scheduler.query(
      `insert into step_runs (run_id, step_no, name, state, version, epoch, timeout_seconds, cause_id, actor)
       select id, 1, 'step-1', 'DISPATCHED', 1, 1, 300, gen_random_uuid(), 'ann' from workflow_runs`,
    );

    const rowsHandled = await worksInTriggers(database, async (client) => {
      for (let single = 0; single < 12; single += 1) {
        await client.query(
          `update workflow_runs set state = 'QUEUED', version = 2, cause_id = gen_random_uuid() where id = (select id from workflow_runs where version = 1 limit 1)`,
        );
        await client.query(
          `update step_runs set state = 'FAILED', via = 'RUNNING', version = 3, cause_id = gen_random_uuid(), started_at = now(), ended_at = now()
            where run_id = (select run_id from step_runs where version = 1 limit 1)`,
        );
      }
      return [
        await workOf(client, `update workflow_runs set state = 'QUEUED', version = 2, cause_id = gen_random_uuid() where version = 1`),
        await workOf(
          client,
          `update step_runs set state = 'FAILED', via = 'RUNNING', version = 3, cause_id = gen_random_uuid(), started_at = now(), ended_at = now() where version = 1`,
        ),
      ];
    });

    const { rows } = await api.query(`select count(*)::int as audited from workflow_transition_audit`);
    expect(rows).toEqual([{ audited: 2 * (batch + 1) + 3 * (batch + 1) }]);
    for (const work of rowsHandled) {
      expect(work).toBeGreaterThan(batch);
      expect(work).toBeLessThan(40 * batch);
    }
  });

  // In tables of its own: pages that a batch has filled and a vacuum has emptied again have room or not, as it happens.
  it('moves the rows of a group in place: they are written into no index again', async () => {
    const fresh = await cloneDatabase();
    const group = await Given.open(fresh);
    const { id } = await group.submit([{}]);
    const { rows } = await group.api.query<{ id: string }>(
      `insert into workflow_runs (id, workflow_id, workflow_version, deployment_id, matched_by, created_by, state, version, cause_id, actor)
       select flowforge_uuidv7(), workflow_id, workflow_version, deployment_id, 'default', 'ann', 'CREATED', 1, gen_random_uuid(), 'ann'
         from workflow_runs, generate_series(1, 500) where id = $1 returning id`,
      [id],
    );
    const ids = rows.map((row) => row.id);
    await group.scheduler.query(
      `insert into step_runs (run_id, step_no, name, state, version, epoch, timeout_seconds, cause_id, actor)
       select id, 1, 'step-1', 'DISPATCHED', 1, 1, 300, gen_random_uuid(), 'ann' from unnest($1::uuid[]) as id`,
      [ids],
    );
    const moves = [
      ['workflow_runs', `state = 'RUNNING', version = 2, started_at = now() where id`],
      ['step_runs', `state = 'SUCCEEDED', via = 'RUNNING', version = 3, started_at = now(), ended_at = now() where run_id`],
      ['workflow_runs', `state = 'SUCCEEDED', version = 3, ended_at = now() where id`],
    ] as const;
    const superuser = await connected(fresh.superuserUrl);
    for (const [table, move] of moves) {
      const { share, xid } = await moveAll(group.scheduler, table, move, ids);
      expect(share).toBeGreaterThan(0.9);
      await eventually(() => isPast(superuser, xid), { within: 30_000, what: 'nobody to look at the rows as they were' });
    }
    await superuser.end();
    await group.close();
    await fresh.drop();
  });
});

/**
 * Whether no session, autovacuum's included, may still look at rows as they were before this transaction: until then their old versions take the
 * room of their pages. A transaction of another database counts as well, as long as it is older.
 */
async function isPast(superuser: pg.Client, xid: string): Promise<boolean> {
  const { rows } = await superuser.query<{ past: boolean }>(
    `select pg_snapshot_xmin(pg_current_snapshot()) > $1::xid8 and not exists (
       select from pg_stat_activity where datname = current_database() and backend_xmin is not null and pid <> pg_backend_pid()) as past`,
    [xid],
  );
  return rows[0]?.past ?? false;
}

/** Moves these rows in one transaction. Returns which share of them was written in place. */
async function moveAll(client: pg.Client, table: string, move: string, ids: readonly string[]): Promise<{ share: number; xid: string }> {
  await client.query('begin');
  await client.query(`update ${table} set cause_id = gen_random_uuid(), ${move} = any($1::uuid[])`, [ids]);
  const { rows } = await client.query<{ share: number; xid: string }>(
    `select pg_stat_get_xact_tuples_hot_updated($1::regclass)::float8 / pg_stat_get_xact_tuples_updated($1::regclass) as share,
            pg_current_xact_id()::text as xid`,
    [table],
  );
  await client.query('commit');
  return rows[0] ?? { share: 0, xid: '0' };
}

let notices: string[] = [];

/** Runs as a superuser, the only one who may watch the statements inside of triggers. */
async function worksInTriggers<T>(database: TestDatabase, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await connected(database.superuserUrl);
  client.on('notice', ({ message }) => notices.push(message ?? ''));
  try {
    await client.query(
      `load 'auto_explain'; set auto_explain.log_min_duration = 0; set auto_explain.log_nested_statements = on; set auto_explain.log_analyze = on;
       set auto_explain.log_timing = off; set auto_explain.log_format = json; set auto_explain.log_level = notice`,
    );
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Rows that passed through all nodes of all plans of a statement and of the triggers it fired. */
async function workOf(client: pg.Client, statement: string): Promise<number> {
  notices = [];
  await client.query(statement);
  const plans = notices.flatMap((notice) =>
    notice.includes('plan:') ? [JSON.parse(notice.slice(notice.indexOf('{'))) as { Plan: PlanNode }] : [],
  );
  expect(plans.length).toBeGreaterThan(1);
  return plans.reduce((sum, { Plan }) => sum + rowsThrough(Plan), 0);
}
