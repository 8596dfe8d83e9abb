import { afterEach, describe, expect, it } from '@jest/globals';
import { createMetrics } from './metrics.ts';
import { type OperationsServer, startOperationsServer } from './operations-server.ts';
import type { ReadinessCheck } from './readiness.ts';

describe('the operations server', () => {
  let server: OperationsServer | undefined;
  const start = async (checks: Record<string, ReadinessCheck>, metrics = createMetrics('worker')) => {
    server = await startOperationsServer({ service: 'worker', port: 0, host: '127.0.0.1', metrics, checks });
    return (path: string, method = 'GET') => fetch(`http://127.0.0.1:${server?.port}${path}`, { method });
  };

  afterEach(() => server?.close());

  it('is alive while it is not ready', async () => {
    const get = await start({ redis: () => Promise.reject(new Error('connect redis://:s3cr3t@redis refused')) });
    expect((await get('/health')).status).toBe(200);
    const ready = await get('/ready');
    expect(ready.status).toBe(503);
    const body = await ready.text();
    expect(JSON.parse(body)).toMatchObject({ status: 'down', checks: { redis: { status: 'down' } } });
    expect(body).not.toContain('s3cr3t');
  });

  it('stays ready when something it can do without is missing, and says so', async () => {
    const get = await start({ database: async () => {}, redis: async () => ({ status: 'degraded', detail: 'no answer' }) });
    const ready = await get('/ready');
    expect(ready.status).toBe(200);
    expect(await ready.json()).toMatchObject({
      status: 'degraded',
      checks: { database: { status: 'ok' }, redis: { status: 'degraded', detail: 'no answer' } },
    });
  });

  it('serves its metrics with the service as a label', async () => {
    const metrics = createMetrics('worker');
    metrics.counter({ name: 'flowforge_steps_total', help: 'Steps', labels: ['outcome'] }).inc({ outcome: 'succeeded' }, 2);
    const get = await start({}, metrics);
    const text = await (await get('/metrics')).text();
    expect(text).toContain('flowforge_steps_total{outcome="succeeded",service="worker"} 2');
    expect(text).toContain('process_cpu_seconds_total');
  });

  it('tells how each check stands among its metrics', async () => {
    const get = await start({
      database: () => Promise.reject(new Error('away')),
      redis: async () => ({ status: 'degraded' }),
      loop: async () => {},
    });
    const text = await (await get('/metrics')).text();
    for (const line of [
      '{check="database",service="worker"} 0',
      '{check="redis",service="worker"} 0.5',
      '{check="loop",service="worker"} 1',
    ])
      expect(text).toContain(`flowforge_ready${line}\n`);
  });

  it('answers nothing else, and only GET', async () => {
    const get = await start({});
    expect((await get('/')).status).toBe(404);
    expect((await get('/metrics', 'POST')).status).toBe(405);
  });

  it('names the port that is taken', async () => {
    await start({});
    const second = startOperationsServer({
      service: 'x',
      port: server?.port ?? 0,
      host: '127.0.0.1',
      metrics: createMetrics('x'),
      checks: {},
    });
    await expect(second).rejects.toMatchObject({ code: 'port.taken' });
  });
});

describe('metrics', () => {
  it('gives the same metric for the same name, and refuses a name that is not ours', () => {
    const metrics = createMetrics('api');
    const metric = { name: 'flowforge_runs_total', help: 'Runs' };
    expect(metrics.counter(metric)).toBe(metrics.counter(metric));
    expect(() => metrics.counter({ name: 'runs', help: '' })).toThrow(expect.objectContaining({ code: 'metrics.bad_name' }));
  });
});
