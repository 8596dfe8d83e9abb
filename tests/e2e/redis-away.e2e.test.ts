import { Redis } from 'ioredis';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Health, paths } from '#contracts';
import { checkInvariants } from '#store';
import { cloneDatabase, eventually, freePort, startRedis, type RedisServer, type TestDatabase } from '#testing';
import { MEDALLION_EFFECTS, MEDALLION_EFFECT_STEPS } from '../harness/definitions.ts';
import { untilWorkersAreIdle } from '../harness/idle-workers.ts';
import { Ledger } from '../harness/ledger.ts';
import { Stack } from '../harness/stack.ts';

const RUNS = 20;

describe('Redis is a hint, the database is the truth', () => {
  const ledger = new Ledger(50);
  let ledgerUrl: string;
  let database: TestDatabase;
  let owner: pg.Client;
  let redis: RedisServer;
  let stack: Stack;
  let workflow: string;
  let ports: { readonly scheduler: number; readonly worker: number };

  beforeAll(async () => {
    ledgerUrl = await ledger.start();
    database = await cloneDatabase();
    owner = new pg.Client(database.ownerUrl);
    await owner.connect();
    // It keeps nothing: what it held is gone after a kill, as after FLUSHALL.
    redis = await startRedis({ own: true });
    ports = { scheduler: await freePort(), worker: await freePort() };
    stack = await Stack.start({
      database,
      redis,
      env: { WORKFLOW_MAX_CONCURRENT_EXECUTIONS: '100', WORKER_LOSSES_MAX: '100' },
      schedulerEnv: { METRICS_PORT: String(ports.scheduler) },
      workerEnv: { METRICS_PORT: String(ports.worker), WORKER_CONCURRENCY: '4' },
    });
    workflow = await stack.api.apply(MEDALLION_EFFECTS);
  }, 90_000);
  afterAll(async () => {
    await stack?.stop();
    await redis?.stop();
    await ledger.stop();
    await owner?.end();
    await database?.drop();
  }, 60_000);

  async function startRuns(): Promise<string[]> {
    return await Promise.all(Array.from({ length: RUNS }, () => stack.api.run(workflow, { ledger: ledgerUrl })));
  }
  async function inTheMiddle(): Promise<void> {
    const count = async () =>
      (await owner.query<{ n: number }>(`select count(*)::int as n from step_runs where state = 'RUNNING'`)).rows[0]?.n;
    await eventually(async () => ((await count()) ?? 0) >= 2, { within: 20_000, every: 5, what: 'steps to run' });
  }
  async function allSucceed(runs: readonly string[]): Promise<void> {
    const ends = await Promise.all(runs.map((runId) => stack.api.ended(runId, 60_000)));
    expect(ends.map(({ state }) => state)).toEqual(runs.map(() => 'SUCCEEDED'));
  }
  async function readiness(port: number): Promise<{ code: number; status: string }> {
    const answer = await fetch(`http://127.0.0.1:${port}/ready`);
    return { code: answer.status, status: Health.parse(await answer.json()).status };
  }

  it('is rebuilt from the database when FLUSHALL empties it in the middle of runs, which all end', async () => {
    const before = ledger.effects.size;
    const runs = await startRuns();
    await inTheMiddle();

    const client = new Redis(redis.url);
    await client.flushall();
    client.disconnect();

    await allSucceed(runs);
    expect(ledger.effects.size - before).toBe(RUNS * MEDALLION_EFFECT_STEPS);
  }, 90_000);

  it('may be away: runs are accepted, who cannot work without it says so, and all runs end when it is back', async () => {
    const runs = await startRuns();
    await inTheMiddle();

    await redis.kill();

    const apiPort = Number(new URL(stack.api.url).port);
    await eventually(async () => (await readiness(apiPort)).status === 'degraded', { within: 20_000, what: 'the api to be degraded' });
    expect(await readiness(apiPort)).toEqual({ code: 200, status: 'degraded' });
    for (const port of [ports.scheduler, ports.worker]) {
      await eventually(async () => (await readiness(port)).code === 503, { within: 20_000, what: 'readiness to be red' });
    }
    const accepted = await stack.api.request<{ id: string }>('POST', paths.workflowRuns(workflow), { input: { ledger: ledgerUrl } });
    expect(accepted.status).toBe(201);

    await redis.restart();

    await allSucceed([...runs, accepted.body.id]);
    for (const port of [apiPort, ports.scheduler, ports.worker]) {
      await eventually(async () => (await readiness(port)).status === 'ok', { within: 20_000, what: 'readiness to be green' });
    }
  }, 120_000);

  it('leaves one effect per idempotency key and every invariant intact', async () => {
    expect(new Set(ledger.effects.values())).toEqual(new Set([1]));
    expect(ledger.effects.size).toBe((2 * RUNS + 1) * MEDALLION_EFFECT_STEPS);
    await untilWorkersAreIdle(owner, 1);
    expect((await checkInvariants(owner, { quiescent: true, bounds: { leaseSeconds: 1 } })).summary.broken).toEqual([]);
  });
});
