import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type RedisServer,
  type TestDatabase,
  type TestProcess,
  cloneDatabase,
  eventually,
  freePort,
  startProcess,
  startRedis,
} from '#testing';
import { ADMIN_TOKEN, askAt } from './testing/api-harness.ts';

describe('the api as a process of its own', () => {
  let database: TestDatabase;
  let redis: RedisServer;
  let api: TestProcess;
  let url: string;
  let metricsUrl: string;
  beforeAll(async () => {
    [database, redis] = await Promise.all([cloneDatabase(), startRedis({ own: true })]);
    const [port, metricsPort] = [await freePort(), await freePort()];
    url = `http://127.0.0.1:${port}`;
    metricsUrl = `http://127.0.0.1:${metricsPort}`;
    const env = {
      DATABASE_URL: database.apiUrl,
      REDIS_URL: redis.url,
      PORT: String(port),
      METRICS_PORT: String(metricsPort),
      FLOWFORGE_ADMIN_TOKEN: ADMIN_TOKEN,
    };
    api = await startProcess({ main: 'services/api/src/main.ts', env, ready: { line: /The api is ready/ } });
  });
  afterAll(async () => {
    await api.kill('SIGKILL');
    await redis.stop();
    await database.drop();
  });
  const ask = (method: string, path: string, body?: unknown) => askAt(url, method, path, { body });
  const readiness = async () => (await ask('GET', '/ready')).body.status;

  /** Cancels a run that is followed; true when the follower hears of it sooner than he looks by himself. */
  const hearsInTime = async () => {
    const { items } = (await ask('GET', '/api/v1/workflows')).body;
    const { body: run } = await ask('POST', `/api/v1/workflows/${items[0].id}/runs`, {});
    const abort = new AbortController();
    const events = await fetch(`${url}/api/v1/runs/${run.id}/events`, {
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
      signal: abort.signal,
    });
    let text = '';
    const reading = (async () => {
      for await (const chunk of events.body ?? []) text += Buffer.from(chunk).toString();
    })().catch(() => {});
    await eventually(() => text.includes('"CREATED"'));
    const started = performance.now();
    await ask('POST', `/api/v1/runs/${run.id}/cancel`);
    await eventually(() => text.includes('"CANCELLING"'));
    const heardWithin = performance.now() - started;
    abort.abort();
    await reading;
    return heardWithin < 1_000;
  };

  it('serves metrics on their own port, with routes and never ids as labels', async () => {
    const definition = { apiVersion: 'flowforge/v1', kind: 'Workflow', metadata: { name: 'x' }, spec: { steps: { a: { uses: 'noop' } } } };
    const { body } = await ask('POST', '/api/v1/workflows', { definition });
    const run = await ask('POST', `/api/v1/workflows/${body.workflow.id}/runs`, {});
    await ask('GET', `/api/v1/runs/${run.body.id}`);
    const text = await (await fetch(`${metricsUrl}/metrics`)).text();
    expect(text).toMatch(/flowforge_deployment_selected_total\{tier="environment",environment="production",team="",service="api"\} 1/);
    expect(text).toMatch(/flowforge_http_requests_total\{method="GET",route="\/api\/v1\/runs\/:id",status="200",service="api"\} 1/);
    expect(text).not.toContain(run.body.id);
  });

  it('hears through Redis what changed', async () => {
    expect(await hearsInTime()).toBe(true);
  });

  it('accepts runs without Redis, says so, and heals by itself when Redis comes back', async () => {
    expect(await readiness()).toBe('ok');
    await redis.kill();
    await eventually(async () => (await readiness()) === 'degraded');
    const { items } = (await ask('GET', '/api/v1/workflows')).body;
    for (let n = 0; n < 5; n += 1) expect((await ask('POST', `/api/v1/workflows/${items[0].id}/runs`, {})).status).toBe(201);
    await redis.restart();
    await eventually(async () => (await readiness()) === 'ok', { within: 15_000 });
    await eventually(hearsInTime, { within: 15_000 });
    expect((await ask('POST', `/api/v1/workflows/${items[0].id}/runs`, {})).status).toBe(201);
  });

  it('tells all faults of its configuration at once and exits with 78', async () => {
    const failed = await startProcess({ main: 'services/api/src/main.ts', env: { PORT: 'x', DATABASE_POOL_MAX: '0' } });
    expect(await failed.ended).toEqual({ code: 78, signal: null });
    for (const variable of ['PORT', 'DATABASE_POOL_MAX', 'DATABASE_URL']) expect(failed.lines.join('\n')).toContain(variable);
  });

  it('starts while Redis is away', async () => {
    const env = { DATABASE_URL: database.apiUrl, REDIS_URL: `redis://127.0.0.1:${await freePort()}`, PORT: '0', METRICS_PORT: '0' };
    const alone = await startProcess({ main: 'services/api/src/main.ts', env, ready: { line: /The api is ready/ } });
    expect(alone.lines.join('\n')).toContain('Workflow graph validation: true');
    expect(await alone.kill()).toEqual({ code: 0, signal: null });
  });

  it('finishes on SIGTERM and exits with 0', async () => {
    const started = performance.now();
    expect(await api.kill()).toEqual({ code: 0, signal: null });
    // A reader that hung up, or a connection that never asked, must not use the grace period of 25 s up.
    expect(performance.now() - started).toBeLessThan(15_000);
  });
});
