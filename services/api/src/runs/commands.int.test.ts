import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { z } from 'zod';
import { Explanation, LogPage, RunDetail, RunPage, RunSummary, StepDetail, StepPage, TransitionPage } from '#contracts';
import { databaseServers, eventually } from '#testing';
import { type ApiUnderTest, moveRun, moveStep, publish, startApiUnderTest, startRun } from '../testing/api-harness.ts';

describe.each(databaseServers())('commands on $name', ({ cloneDatabase }) => {
  let under: ApiUnderTest;
  let other: ApiUnderTest;
  let workflowId: string;
  beforeAll(async () => {
    const database = await cloneDatabase();
    under = await startApiUnderTest({ database });
    other = await startApiUnderTest({ database });
    workflowId = await publish(under, 'commands');
  });
  afterAll(async () => {
    await other.close();
    await under.close();
    await under.database.drop();
  });
  const cancellings = async (id: string) =>
    (
      await under.sql.query(
        `select actor, reason, version from workflow_transition_audit where workflow_id = $1 and new_state = 'CANCELLING'`,
        [id],
      )
    ).rows;

  it.each([5, 100])('lets one of %i concurrent cancels win, with one audit row', async (many) => {
    const id = await startRun(under, workflowId);
    const answers = await Promise.all(
      Array.from({ length: many }, (_, n) =>
        (n % 2 ? under : other).ask('POST', `/api/v1/runs/${id}/cancel`, { body: { expectedVersion: 1, reason: `caller ${n}` } }),
      ),
    );
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
    const losers = answers.filter(({ status }) => status !== 202);
    expect(losers).toHaveLength(many - 1);
    for (const { status, body } of losers)
      expect([status, body.code, body.details.state, body.details.version]).toEqual([409, 'run.state_conflict', 'CANCELLING', 2]);
    expect(await cancellings(id)).toHaveLength(1);
  });

  it('answers every cancel of a run that is being cancelled with 202, and changes it once', async () => {
    const id = await startRun(under, workflowId);
    const answers = await Promise.all(Array.from({ length: 20 }, () => under.ask('POST', `/api/v1/runs/${id}/cancel`)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 202));
    expect(RunSummary.parse(answers[0]?.body)).toMatchObject({ state: 'CANCELLING', version: 2 });
    expect(await cancellings(id)).toMatchObject([{ actor: 'admin', version: 2 }]);
    const { rows } = await under.sql.query('select phase, rev from live_runs where run_id = $1', [id]);
    expect(rows).toEqual([{ phase: 'cancelling', rev: 2 }]);
  });

  it('refuses to cancel what has ended, with the state it is in', async () => {
    const id = await startRun(under, workflowId);
    await moveRun(under, id, 'RUNNING', 'SUCCEEDED');
    expect(await under.ask('POST', `/api/v1/runs/${id}/cancel`)).toMatchObject({
      status: 409,
      body: { code: 'run.state_conflict', details: { state: 'SUCCEEDED', version: 3 } },
    });
  });

  it('does not cancel a run that is not as its caller saw it', async () => {
    const id = await startRun(under, workflowId);
    await moveRun(under, id, 'RUNNING');
    expect(await under.ask('POST', `/api/v1/runs/${id}/cancel`, { body: { expectedVersion: 1 } })).toMatchObject({
      status: 409,
      body: { code: 'run.state_conflict', details: { state: 'RUNNING', version: 2 } },
    });
    expect(await cancellings(id)).toEqual([]);
  });

  it('cancels other runs while one cancel waits for its run', async () => {
    const [held, free] = [await startRun(under, workflowId), await startRun(under, workflowId)];
    const client = await under.sql.connect();
    await client.query('begin');
    await client.query('select from live_runs where run_id = $1 for update', [held]);
    const waiting = under.ask('POST', `/api/v1/runs/${held}/cancel`);
    expect((await under.ask('POST', `/api/v1/runs/${free}/cancel`)).status).toBe(202);
    expect(await cancellings(held)).toEqual([]);
    await client.query('commit');
    client.release();
    expect((await waiting).status).toBe(202);
  });

  it('cancels a run whose last move had two hops', async () => {
    const id = await startRun(under, workflowId);
    await under.sql.query(
      `update workflow_runs set state = 'RUNNING', via = 'QUEUED', version = 3, cause_id = gen_random_uuid(), actor = 'scheduler', started_at = now() where id = $1`,
      [id],
    );
    expect((await under.ask('POST', `/api/v1/runs/${id}/cancel`)).status).toBe(202);
  });

  it('retries an ended run as a new run of the same version and input, one retry at a time', async () => {
    const id = await startRun(under, workflowId, { a: 1 });
    expect((await under.ask('POST', `/api/v1/runs/${id}/retry`)).body.code).toBe('run.state_conflict');
    await moveRun(under, id, 'RUNNING', 'FAILED');
    await publish(under, 'commands', { priority: 7 });
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        (n % 2 ? under : other).ask('POST', `/api/v1/runs/${id}/retry`, { body: { expectedVersion: 3 } }),
      ),
    );
    const [won] = answers.filter(({ status }) => status === 201);
    expect(won?.body).toMatchObject({ retryOf: id, workflowVersion: 1, state: 'CREATED' });
    expect(
      answers.filter(
        ({ status, body }) => status === 409 && body.code === 'run.retry_under_way' && body.details.retryRunId === won?.body.id,
      ),
    ).toHaveLength(9);
    expect((await under.ask('GET', `/api/v1/runs/${won?.body.id}`)).body.input).toEqual({ a: 1 });
    await moveRun(under, won?.body.id, 'RUNNING', 'FAILED');
    expect((await under.ask('POST', `/api/v1/runs/${id}/retry`)).status).toBe(201);
  });

  it('lets the retries of one run take turns, however long the first of them takes', async () => {
    const id = await startRun(under, workflowId);
    await moveRun(under, id, 'RUNNING', 'FAILED');
    const client = await under.sql.connect();
    await client.query('begin');
    await client.query('lock table live_runs in share mode');
    const retrying = Promise.all([under, other].map((api) => api.ask('POST', `/api/v1/runs/${id}/retry`)));
    const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    await eventually(async () => (await under.sql.query(waiting)).rowCount === 2, { what: 'both retries to wait' });
    await client.query('commit');
    client.release();
    expect((await retrying).map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([201, 409]);
  });

  it('does not retry a run that succeeded', async () => {
    const id = await startRun(under, workflowId);
    await moveRun(under, id, 'RUNNING', 'SUCCEEDED');
    expect((await under.ask('POST', `/api/v1/runs/${id}/retry`)).body).toMatchObject({
      code: 'run.state_conflict',
      details: { state: 'SUCCEEDED' },
    });
  });
});

describe('reading runs', () => {
  let under: ApiUnderTest;
  beforeAll(async () => (under = await startApiUnderTest()));
  afterAll(() => under.close());
  const get = async (path: string) => (await under.ask('GET', path)).body;
  const chain = {
    steps: {
      fetch: { uses: 'http', with: { url: 'http://127.0.0.1' } },
      clean: { uses: 'noop', needs: ['fetch'] },
      report: { uses: 'noop', needs: ['clean'] },
    },
  };

  it('pages through runs by key, newest first, without a gap or a double while others are added', async () => {
    const id = await publish(under, 'paged');
    const ids: string[] = [];
    for (let n = 0; n < 25; n += 1) ids.push(await startRun(under, id));
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: z.infer<typeof RunPage> = RunPage.parse(
        await get(`/api/v1/runs?workflowId=${id}&limit=10${cursor && `&cursor=${cursor}`}`),
      );
      seen.push(...page.items.map((run) => run.id));
      cursor = page.nextCursor;
      await startRun(under, id);
    }
    expect(seen).toEqual(ids.toSorted().toReversed());
    expect((await get(`/api/v1/workflows/${id}/runs?limit=200`)).items).toHaveLength(28);
  });

  it('filters by environment, team, state and time', async () => {
    const finance = await publish(under, 'filtered', { environment: 'production', team: 'finance' });
    const qa = await publish(under, 'filtered', { environment: 'qa' });
    const moment = new Date();
    const [run, running] = [await startRun(under, finance), await startRun(under, qa)];
    await moveRun(under, running, 'RUNNING');
    const ids = async (query: string) => (await get(`/api/v1/runs?${query}`)).items.map(({ id }: { id: string }) => id);
    expect(await ids('environment=production&team=finance')).toEqual([run]);
    expect(await ids('environment=qa')).toEqual([running]);
    expect(await ids('state=RUNNING')).toEqual([running]);
    expect(await ids(`state=RUNNING&state=CREATED&since=${moment.toISOString()}`)).toEqual([run, running].toSorted().toReversed());
    expect(await ids(`until=${new Date(moment.getTime() - 3_600_000).toISOString()}`)).toEqual([]);
  });

  it('finds a rare state among many runs by the index, whatever else is there', async () => {
    const id = await publish(under, 'rare');
    const rare = await startRun(under, id);
    await moveRun(under, rare, 'RUNNING');
    await under.sql.query(
      `with added as (
         insert into workflow_runs (id, workflow_id, workflow_version, deployment_id, matched_by, created_by, state, version, cause_id, actor)
         select flowforge_uuidv7(), $1, 1, '2667a424-53c6-4476-b0fb-e2cbeef374ab', 'default', 'x', 'CREATED', 1, gen_random_uuid(), 'x' from generate_series(1, 20000)
         returning id, workflow_id, deployment_id
       ) insert into live_runs (run_id, remaining, workflow_id, deployment_id) select id, 1, workflow_id, deployment_id from added`,
      [id],
    );
    await under.sql.query('analyze workflow_runs');
    const before = await under.sql.query(`select idx_tup_read from pg_stat_user_indexes where indexrelname = 'workflow_runs_pkey'`);
    const found = (await get(`/api/v1/runs?workflowId=${id}&state=RUNNING&state=FAILED`)).items;
    expect(found.map((run: { id: string }) => run.id)).toEqual([rare]);
    await under.sql.query('select pg_stat_force_next_flush()').catch(() => {});
    const after = await under.sql.query(`select idx_tup_read from pg_stat_user_indexes where indexrelname = 'workflow_runs_pkey'`);
    expect(Number(after.rows[0].idx_tup_read) - Number(before.rows[0].idx_tup_read)).toBeLessThan(1_000);
  });

  it('shows the steps of the plan, those without a row as PENDING', async () => {
    const id = await startRun(under, await publish(under, 'chain', chain), { in: 1 });
    await moveRun(under, id, 'RUNNING');
    await moveStep(under, id, 1, 'fetch', 'DISPATCHED', 'RUNNING', 'SUCCEEDED');
    await moveStep(under, id, 2, 'clean', 'DISPATCHED');
    const steps = StepPage.parse(await get(`/api/v1/runs/${id}/steps`));
    expect(steps.items.map(({ name, state, needs, version }) => [name, state, needs, version])).toEqual([
      ['fetch', 'SUCCEEDED', [], 3],
      ['clean', 'DISPATCHED', ['fetch'], 1],
      ['report', 'PENDING', ['clean'], 0],
    ]);
    expect((await get(`/api/v1/runs/${id}/steps?state=PENDING&state=DISPATCHED`)).items.map(({ name }: { name: string }) => name)).toEqual([
      'clean',
      'report',
    ]);
    await under.sql.query('insert into step_outputs (run_id, step_no, output) values ($1, 1, $2)', [id, { rows: 3 }]);
    expect(StepDetail.parse(await get(`/api/v1/runs/${id}/steps/fetch`)).output).toEqual({ rows: 3 });
    expect((await get(`/api/v1/runs/${id}/steps/3`)).name).toBe('report');
    expect((await get(`/api/v1/runs/${id}/steps/none`)).code).toBe('step.unknown');
  });

  it('shows the outputs of the sinks once the run has succeeded', async () => {
    const id = await startRun(under, await publish(under, 'sinks', chain), { in: 1 });
    expect(RunDetail.parse(await get(`/api/v1/runs/${id}`))).toMatchObject({
      input: { in: 1 },
      output: null,
      steps: { total: 3, remaining: 3 },
    });
    await under.sql.query('insert into step_outputs (run_id, step_no, output) values ($1, 1, $2), ($1, 3, $3)', [
      id,
      { no: 1 },
      { yes: 1 },
    ]);
    await moveRun(under, id, 'RUNNING', 'SUCCEEDED');
    expect(RunDetail.parse(await get(`/api/v1/runs/${id}`))).toMatchObject({
      output: { report: { yes: 1 } },
      steps: { total: 3, remaining: 0 },
    });
  });

  it('lists transitions in the order they happened', async () => {
    const id = await startRun(under, await publish(under, 'history', chain));
    await moveRun(under, id, 'QUEUED', 'RUNNING');
    await moveStep(under, id, 1, 'fetch', 'DISPATCHED', 'RUNNING', 'SUCCEEDED');
    const first = TransitionPage.parse(await get(`/api/v1/runs/${id}/transitions?limit=4`));
    const rest = TransitionPage.parse(await get(`/api/v1/runs/${id}/transitions?limit=4&cursor=${first.nextCursor}`));
    expect([...first.items, ...rest.items].map(({ step, previousState, newState }) => [step, previousState, newState])).toEqual([
      [null, null, 'CREATED'],
      [null, 'CREATED', 'QUEUED'],
      [null, 'QUEUED', 'RUNNING'],
      ['fetch', 'PENDING', 'DISPATCHED'],
      ['fetch', 'DISPATCHED', 'RUNNING'],
      ['fetch', 'RUNNING', 'SUCCEEDED'],
    ]);
    expect(rest.nextCursor).toBeNull();
  });

  it('tails the log of a step from where the last page ended', async () => {
    const id = await startRun(under, await publish(under, 'logs', chain));
    await moveStep(under, id, 1, 'fetch', 'DISPATCHED');
    const log = (line: number) =>
      under.sql.query(`insert into workflow_run_logs values ($1, 1, 1, 1, $2, now(), 'info', $3)`, [id, line, `line ${line}`]);
    for (const line of [1, 2, 3]) await log(line);
    const first = LogPage.parse(await get(`/api/v1/runs/${id}/logs?step=fetch&limit=2`));
    const second = LogPage.parse(await get(`/api/v1/runs/${id}/logs?step=fetch&limit=2&cursor=${first.nextCursor}`));
    expect(second.nextCursor).toBeNull();
    await log(4);
    const third = LogPage.parse(await get(`/api/v1/runs/${id}/logs?step=fetch&cursor=${second.tailCursor}`));
    expect([first, second, third].map(({ items }) => items.map(({ text }) => text))).toEqual([
      ['line 1', 'line 2'],
      ['line 3'],
      ['line 4'],
    ]);
    const nothing = LogPage.parse(await get(`/api/v1/runs/${id}/logs?step=fetch&cursor=${third.tailCursor}`));
    expect([nothing.items, nothing.tailCursor]).toEqual([[], third.tailCursor]);
  });

  it('explains a queued run by the limit and who holds it, a running one by its step and needs', async () => {
    const id = await publish(under, 'limited', { ...chain, concurrency: { limit: 1 }, environment: 'uat', team: 'finance' });
    const [holder, waiting] = [await startRun(under, id), await startRun(under, id)];
    await moveRun(under, holder, 'RUNNING');
    await moveStep(under, holder, 1, 'fetch', 'DISPATCHED', 'RUNNING');
    const queued = Explanation.parse(await get(`/api/v1/runs/${waiting}/explain`));
    expect(queued.resolution).toMatchObject({
      matchedBy: 'environment',
      tried: [
        { rule: 'team', key: 'UAT_FINANCE', found: false },
        { rule: 'environment', key: 'UAT', found: true },
      ],
    });
    expect(queued.waitsFor).toEqual([
      { kind: 'limit', scope: 'concurrency_key', key: '', limit: 1, holding: 1, holders: [holder] },
      { kind: 'workers', deployment: 'flowforge-medallion/uat' },
    ]);
    await under.sql.query(
      `insert into worker_sessions (session, deployment_id, worker, concurrency, kinds, held_runs, held_steps, held_dispatches, expires_at)
       values (gen_random_uuid(), '281d4d12-a28c-4654-89cc-1c0f54d54864', 'worker-1', 4, '{http}', array[$1::uuid], '{1}', '{1}', now() + interval '1 minute')`,
      [holder],
    );
    const running = Explanation.parse(await get(`/api/v1/runs/${holder}/explain`));
    expect(running.workers).toMatchObject([{ worker: 'worker-1', alive: true, holding: 1 }]);
    expect(running.waitsFor).toMatchObject([
      { kind: 'step', step: 'fetch', state: 'RUNNING', worker: 'worker-1' },
      { kind: 'needs', step: 'clean', unmet: ['fetch'] },
      { kind: 'needs', step: 'report', unmet: ['clean'] },
    ]);
    await moveRun(under, holder, 'FAILED');
    expect(Explanation.parse(await get(`/api/v1/runs/${holder}/explain`))).toMatchObject({
      waitsFor: [],
      summary: 'The run has ended: FAILED.',
    });
  });
});
