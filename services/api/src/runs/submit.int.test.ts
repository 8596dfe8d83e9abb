import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RunSummary, StartedRunsBatch } from '#contracts';
import { type ApiUnderTest, publish, startApiUnderTest } from '../testing/api-harness.ts';

let under: ApiUnderTest;
beforeAll(async () => (under = await startApiUnderTest()));
afterAll(() => under.close());

const start = (id: string, input: unknown = {}, key?: string) =>
  under.ask('POST', `/api/v1/workflows/${id}/runs`, {
    body: { input },
    ...(key === undefined ? {} : { headers: { 'idempotency-key': key } }),
  });
const count = async (sql: string, values: unknown[] = []) =>
  Number((await under.sql.query(`select count(*) from ${sql}`, values)).rows[0].count);

describe('starting a run', () => {
  it('writes the run, its input, its place in the queue and one audit row, and answers where it goes', async () => {
    const id = await publish(under, 'first', { environment: 'production', team: 'finance' });
    const { status, body } = await start(id, { a: 1 });
    expect(status).toBe(201);
    expect(RunSummary.parse(body)).toMatchObject({
      workflow: 'first',
      workflowVersion: 1,
      state: 'CREATED',
      version: 1,
      matchedBy: 'team',
      deployment: {
        id: 'ae5f30cf-d05e-48e6-83b3-36107914f782',
        name: 'flowforge-medallion/production-finance',
        pool: 'flowforge-production',
      },
    });
    expect(await count('live_runs where run_id = $1 and phase = $2 and remaining = 1', [body.id, 'queued'])).toBe(1);
    expect(await count('run_inputs where run_id = $1 and input = $2', [body.id, { a: 1 }])).toBe(1);
    expect(
      await count(
        `workflow_transition_audit where workflow_id = $1 and new_state = 'CREATED' and previous_state is null and actor = 'admin'`,
        [body.id],
      ),
    ).toBe(1);
    const lines = under.lines.map((text) => JSON.parse(text)).filter(({ workflowId }) => workflowId === id);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({
      level: 'info',
      msg: 'deployment selected',
      count: 1,
      tier: 'team',
      environment: 'production',
      team: 'finance',
      pool: 'flowforge-production',
      tried: [{ key: 'PRODUCTION_FINANCE', found: true }],
    });
  });

  it('gives 100 concurrent submits few statements and each its own answer', async () => {
    const id = await publish(under, 'many', { input: { type: 'object', properties: { n: { type: 'integer' } } } });
    // The database holds the first groups until all have been read: how many statements it takes is no matter of the machine's speed then.
    await under.sql.query('begin; lock table workflow_runs in share row exclusive mode');
    const asked = Array.from({ length: 100 }, (_, n) => start(id, { n: n % 10 === 9 ? 'wrong' : n }));
    await Promise.all(asked.filter((_, n) => n % 10 === 9));
    await under.sql.query('commit');
    const answers = await Promise.all(asked);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(90);
    expect(answers.filter(({ status, body }) => status === 422 && body.code === 'run.input_invalid')).toHaveLength(10);
    const { rows } = await under.sql.query(
      'select distinct xid from workflow_transition_audit a join workflow_runs r on r.id = a.workflow_id where r.workflow_id = $1',
      [id],
    );
    expect(rows.length).toBeLessThan(30);
    const inputs = await under.sql.query(
      `select i.run_id, i.input->>'n' as n from run_inputs i join workflow_runs r on r.id = i.run_id where r.workflow_id = $1`,
      [id],
    );
    const inputOf = new Map(inputs.rows.map(({ run_id, n }) => [run_id, Number(n)]));
    answers.forEach(({ status, body }, n) => status === 201 && expect(inputOf.get(body.id)).toBe(n));
  });

  it('starts one run for 100 concurrent submits with one key, 201 once and 200 for the others', async () => {
    const id = await publish(under, 'keyed');
    const answers = await Promise.all(Array.from({ length: 100 }, () => start(id, { a: 1 }, 'the-key')));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(99);
    expect(await count('workflow_runs where workflow_id = $1', [id])).toBe(1);
  });

  it('starts one run when two apis get the same key at once', async () => {
    const other = await startApiUnderTest({ database: under.database });
    const id = await publish(under, 'two-apis');
    const ask = (api: ApiUnderTest, key: string) =>
      api.ask('POST', `/api/v1/workflows/${id}/runs`, { body: {}, headers: { 'idempotency-key': key } });
    const answers = await Promise.all(Array.from({ length: 60 }, (_, n) => ask(n % 2 ? under : other, `k${n % 3}`)));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(3);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(3);
    expect(await count('workflow_runs where workflow_id = $1', [id])).toBe(3);
    await other.close();
  });

  it('refuses a key that comes again with another input, and leaves nothing', async () => {
    const id = await publish(under, 'mismatch');
    const first = await start(id, { a: 1 }, 'k');
    expect(await start(id, { a: 2 }, 'k')).toMatchObject({
      status: 409,
      body: { code: 'run.idempotency_mismatch', details: { runId: first.body.id } },
    });
    expect(await start(id, { a: 1 }, 'k')).toMatchObject({ status: 200, body: { id: first.body.id } });
    expect(await count('workflow_runs where workflow_id = $1', [id])).toBe(1);
  });

  it('refuses one unstorable input of a group without harm to the others', async () => {
    const id = await publish(under, 'nested');
    // Deeper than the database walks, and still small enough to be sent.
    const deep = `{"input":{"a":${'['.repeat(60_000)}${']'.repeat(60_000)}}}`;
    const answers = await Promise.all([
      ...Array.from({ length: 5 }, () => start(id)),
      under.ask('POST', `/api/v1/workflows/${id}/runs`, { raw: deep, headers: { 'content-type': 'application/json' } }),
      ...Array.from({ length: 5 }, () => start(id)),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201, 422, 201, 201, 201, 201, 201]);
    expect(answers[5]?.body.code).toBe('run.input_unstorable');
    expect(await count('workflow_runs where workflow_id = $1', [id])).toBe(10);
  });

  it('takes batches item by item', async () => {
    const id = await publish(under, 'batch', { input: { type: 'object', required: ['n'], properties: { n: { type: 'integer' } } } });
    const items = [
      { workflowId: id, input: { n: 1 } },
      { workflowId: id, input: {} },
      { workflowId: '018f0000-0000-7000-8000-000000000000' },
      { workflowId: id, input: { n: 2 }, idempotencyKey: 'b' },
    ];
    const { status, body } = await under.ask('POST', '/api/v1/runs:batch', { body: { items } });
    expect(status).toBe(200);
    expect(StartedRunsBatch.parse(body).items.map((item) => ('error' in item ? item.error.code : item.outcome))).toEqual([
      'created',
      'run.input_invalid',
      'workflow.unknown',
      'created',
    ]);
    expect(
      (await under.ask('POST', '/api/v1/runs:batch', { body: { items: Array.from({ length: 1_001 }, () => items[0]) } })).body.code,
    ).toBe('api.body_invalid');
    expect(
      (await under.ask('POST', '/api/v1/runs:batch', { body: { items: Array.from({ length: 1_000 }, () => items[0]) } })).body.items,
    ).toHaveLength(1_000);
  });

  it('runs the new version right after it was published', async () => {
    const id = await publish(under, 'versions');
    await publish(under, 'versions', { priority: 5 });
    expect((await start(id)).body.workflowVersion).toBe(2);
    expect(await count('live_runs l join workflow_runs r on r.id = l.run_id where r.workflow_id = $1 and l.priority = 5', [id])).toBe(1);
  });

  it('goes by what another api did to the workflow just before', async () => {
    const other = await startApiUnderTest({ database: under.database });
    try {
      const input = (type: string) => ({ input: { type: 'object', properties: { a: { type } } } });
      const id = await publish(under, 'elsewhere', input('integer'));
      expect((await start(id, { a: 1 })).body.workflowVersion).toBe(1);
      await publish(other, 'elsewhere', input('string'));
      // One that the remembered version would refuse, and one that it would take.
      expect((await start(id, { a: 'x' })).body.workflowVersion).toBe(2);
      await publish(other, 'elsewhere', input('boolean'));
      expect((await start(id, { a: 'x' })).body.code).toBe('run.input_invalid');
      await publish(other, 'elsewhere', input('string'));
      for (const key of [undefined, 'a-key-elsewhere']) {
        const change = (body: object) => other.ask('PATCH', `/api/v1/workflows/${id}`, { body });
        await change({ enabled: false });
        expect((await start(id, { a: 'x' }, key)).body.code).toBe('workflow.disabled');
        await change({ enabled: true, environment: 'qa' });
        expect((await start(id, { a: 'x' }, key)).body).toMatchObject({ environment: 'qa', workflowVersion: 2 });
        await change({ environment: 'production' });
        expect((await start(id, { a: 'x' }, key && `${key}-2`)).body.environment).toBe('production');
      }
      expect(await count(`idempotency_keys where scope = $1`, [`workflow:${id}`])).toBe(2);
    } finally {
      await other.close();
    }
  });

  it('keeps the value of the concurrency key and the deadline with the run', async () => {
    const id = await publish(under, 'key', {
      timeout: '15m',
      concurrency: { key: 'customer-${{ input.customer }}', limit: 2 },
      input: { type: 'object' },
    });
    const { body } = await start(id, { customer: 'ann' });
    expect(
      await count(
        `live_runs where run_id = $1 and concurrency_key = 'customer-ann' and concurrency_limit = 2 and deadline_at between now() + interval '14m' and now() + interval '16m'`,
        [body.id],
      ),
    ).toBe(1);
    expect((await start(id, {})).body.code).toBe('run.concurrency_key_invalid');
  });

  it('serves the older paths with the same handler', async () => {
    const id = await publish(under, 'older', { input: { type: 'object', properties: { a: { type: 'integer' } } } });
    for (const path of ['run', 'execute']) {
      const { status, body } = await under.ask('POST', `/api/workflows/${id}/${path}`, { body: { triggerData: { a: 1 } } });
      expect([status, body.executionId]).toEqual([201, body.id]);
      expect(body.deployment.name).toBe('flowforge-medallion/production');
    }
    expect((await under.ask('POST', `/api/workflows/${id}/run`)).status).toBe(201);
    expect((await under.ask('POST', `/api/workflows/${id}/execute`, { body: { triggerData: { a: 'x' } } })).body.code).toBe(
      'run.input_invalid',
    );
    expect((await under.ask('GET', '/api/workflows?name=older')).body.items).toHaveLength(1);
  });

  it('wakes the scheduler once per group, and starts runs when nobody listens', async () => {
    const woken: number[] = [];
    const unsubscribe = under.hub.subscribe('runs.submitted', (message) => woken.push(JSON.parse(message).data.count));
    const id = await publish(under, 'wake');
    await Promise.all(Array.from({ length: 20 }, () => start(id)));
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect(woken.reduce((sum, n) => sum + n, 0)).toBe(20);
    expect(woken.length).toBeLessThanOrEqual(20);
    unsubscribe();
    expect((await start(id)).status).toBe(201);
  });
});
