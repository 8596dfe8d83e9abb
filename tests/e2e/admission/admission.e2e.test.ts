import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { compileDefinition } from '#definitions';
import { cloneDatabase, eventually, startProcess, type TestDatabase, type TestProcess } from '#testing';
import { SINGLE_STEP } from '../../harness/definitions.ts';

const LIMIT = 20;
const PROCESSES = 8;
const RUNS = 400;

describe(`${PROCESSES} processes that admit at once`, () => {
  let database: TestDatabase;
  let owner: pg.Client;
  let processes: TestProcess[] = [];

  beforeAll(async () => {
    database = await cloneDatabase();
    owner = new pg.Client(database.ownerUrl);
    await owner.connect();
    await submitRuns();
  });

  afterAll(async () => {
    await Promise.all(processes.map((process) => process.kill('SIGKILL')));
    await owner?.end();
    await database?.drop();
  });

  async function submitRuns(): Promise<void> {
    const { plan, definition, checksum } = compileDefinition(SINGLE_STEP);
    await owner.query(`insert into work_pools (name, purpose) values ('pool', 'test')`);
    await owner.query(`insert into deployments (id, name, pool, namespace) values (flowforge_uuidv7(), 'only', 'pool', 'only')`);
    await owner.query(`insert into workflows (name, created_by_id, current_version, environment) values ('single', 'test', 1, null)`);
    await owner.query(
      `insert into workflow_versions (workflow_id, version, checksum, definition, plan, source, created_by) select id, 1, $1, $2, $3, '', 'test' from workflows`,
      [checksum, JSON.stringify(definition), JSON.stringify(plan)],
    );
    await owner.query(
      `with runs as (
         insert into workflow_runs (id, workflow_id, workflow_version, deployment_id, matched_by, created_by, state, version, cause_id, actor)
         select flowforge_uuidv7(), w.id, 1, d.id, 'default', 'test', 'CREATED', 1, gen_random_uuid(), 'test' from workflows w, deployments d, generate_series(1, $1::int)
         returning id, workflow_id, deployment_id)
       insert into live_runs (run_id, remaining, workflow_id, deployment_id) select id, 1, workflow_id, deployment_id from runs`,
      [RUNS],
    );
  }

  it(`never show ${LIMIT + 1} runs under a limit of ${LIMIT}, and all runs end`, async () => {
    const args = [database.schedulerUrl, String(LIMIT)];
    const started = Array.from({ length: PROCESSES }, () =>
      startProcess({ main: 'tests/e2e/admission/admitting-process.ts', args, ready: { line: /^admitting$/ }, readyWithin: 30_000 }),
    );
    let highest = 0;
    const watch = eventually(
      async () => {
        const { rows } = await owner.query<{ running: number; live: number }>(
          `select count(*) filter (where phase = 'running')::int as running, count(*)::int as live from live_runs`,
        );
        highest = Math.max(highest, rows[0]?.running ?? 0);
        return rows[0]?.live === 0;
      },
      { within: 60_000, every: 1, what: 'all runs to have ended' },
    );
    processes = await Promise.all(started);
    await watch;

    expect(highest).toBeLessThanOrEqual(LIMIT);
    // The limit was reached, or the test would show nothing.
    expect(highest).toBe(LIMIT);
    const { rows } = await owner.query<{ most: number }>(`
      select max(running)::int as most from (
        select sum(case when new_state = 'RUNNING' then 1 when previous_state = 'RUNNING' then -1 else 0 end) over (order by seq) as running
          from workflow_transition_audit where step_no = 0) as over_time`);
    expect(rows[0]?.most).toBeLessThanOrEqual(LIMIT);
    const ended = await owner.query(`select count(*)::int as n from workflow_runs where state = 'SUCCEEDED'`);
    expect(ended.rows[0].n).toBe(RUNS);
  }, 90_000);
});
