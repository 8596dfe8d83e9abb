import { rm } from 'node:fs/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { paths } from '#contracts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '#embedded';
import { checkInvariants, createOwnedDatabase, migrate } from '#store';
import { eventually, freePort, makeTestFolder } from '#testing';
import { MEDALLION_EFFECTS, MEDALLION_EFFECT_STEPS } from '../harness/definitions.ts';
import { untilWorkersAreIdle } from '../harness/idle-workers.ts';
import { Ledger } from '../harness/ledger.ts';
import { Stack } from '../harness/stack.ts';

const RUNS = 10;
const DATABASE = 'flowforge';
const PASSWORD = 'only-for-this-test-of-a-database-that-dies';
/** What is promised of a fault: red within, green again after its end within, in milliseconds. */
const RED_WITHIN_MS = 10_000;
const GREEN_WITHIN_MS = 15_000;

describe('PostgreSQL dies, loses a process, or has no room, and FlowForge goes on by itself', () => {
  const ledger = new Ledger(50);
  let ledgerUrl: string;
  let dataDir: string;
  let server: EmbeddedPostgres;
  let stack: Stack;
  let workflow: string;
  let ports: readonly number[];
  let started = 0;

  const urlAs = (role: string) => `postgresql://${role}:${PASSWORD}@127.0.0.1:${server.port}/${DATABASE}`;
  /** One question to the server, as its superuser. */
  async function sql<Row extends pg.QueryResultRow>(text: string): Promise<Row[]> {
    const client = new pg.Client(server.superuserUrl(DATABASE));
    client.on('error', () => undefined);
    await client.connect();
    return await client
      .query<Row>(text)
      .then(({ rows }) => rows)
      .finally(() => client.end());
  }

  beforeAll(async () => {
    [ledgerUrl, dataDir] = await Promise.all([ledger.start(), makeTestFolder('database-away')]);
    server = await startEmbeddedPostgres({ dataDir });
    await createOwnedDatabase(server.superuserUrl(), DATABASE, PASSWORD);
    await migrate({ url: urlAs('flowforge_owner'), passwords: { api: PASSWORD, scheduler: PASSWORD } });
    const metricsPort = await freePort();
    stack = await Stack.start({
      database: { apiUrl: urlAs('flowforge_api'), schedulerUrl: urlAs('flowforge_scheduler') },
      env: { WORKFLOW_MAX_CONCURRENT_EXECUTIONS: '100', WORKER_LOSSES_MAX: '100' },
      schedulerEnv: { METRICS_PORT: String(metricsPort) },
      workerEnv: { WORKER_CONCURRENCY: '4' },
    });
    ports = [Number(new URL(stack.api.url).port), metricsPort];
    workflow = await stack.api.apply(MEDALLION_EFFECTS);
  }, 120_000);
  afterAll(async () => {
    await stack?.stop();
    await ledger.stop();
    await server?.destroy();
    await rm(dataDir, { recursive: true, force: true });
  }, 60_000);

  async function submit(): Promise<{ id: string; status: number; retryAfter: string | null }> {
    const answer = await fetch(stack.api.url + paths.workflowRuns(workflow), {
      method: 'POST',
      headers: { ...stack.api.authorization, 'content-type': 'application/json' },
      body: JSON.stringify({ input: { ledger: ledgerUrl } }),
    });
    const { id } = (await answer.json()) as { id: string };
    if (answer.status === 201) started += 1;
    return { id, status: answer.status, retryAfter: answer.headers.get('retry-after') };
  }
  const startRuns = async () => Promise.all(Array.from({ length: RUNS }, async () => (await submit()).id));
  const inTheMiddle = () => eventually(() => ledger.effects.size >= (started - RUNS) * MEDALLION_EFFECT_STEPS + 3, { within: 20_000 });
  async function allSucceed(runs: readonly string[]): Promise<void> {
    for (const runId of runs)
      await eventually(() => stack.api.reaches(runId, 'SUCCEEDED', 5_000), { within: 60_000, what: `run ${runId}` });
  }
  async function readyCodes(): Promise<number[]> {
    return await Promise.all(ports.map(async (port) => (await fetch(`http://127.0.0.1:${port}/ready`)).status));
  }
  const untilAll = (code: number, within: number) =>
    eventually(async () => (await readyCodes()).every((seen) => seen === code), { within, what: `all to answer ${code}` });
  const untilRefused = () =>
    eventually(
      async () => {
        const { status, retryAfter } = await submit();
        return status === 503 && retryAfter === '1';
      },
      { within: RED_WITHIN_MS, what: 'a submit to be refused with 503 and Retry-After' },
    );

  it('is killed in the middle of runs: submits are refused with 503, readiness is red, and all goes on when it is back', async () => {
    const runs = await startRuns();
    await inTheMiddle();

    await server.kill();

    await Promise.all([untilRefused(), untilAll(503, RED_WITHIN_MS)]);
    for (const port of ports) expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);

    server = await startEmbeddedPostgres({ dataDir, port: server.port });
    const backAt = performance.now();
    const moved = 'select 1 from workflow_transition_audit where transitioned_at > pg_postmaster_start_time() limit 1';
    await eventually(async () => (await sql(moved)).length === 1, { within: GREEN_WITHIN_MS, what: 'the first move' });
    const movedMs = Math.round(performance.now() - backAt);
    await untilAll(200, GREEN_WITHIN_MS);
    process.stderr.write(`PostgreSQL back: first move after ${movedMs} ms, green after ${Math.round(performance.now() - backAt)} ms\n`);
    await allSucceed(runs);
  }, 120_000);

  it('loses a process to SIGKILL, restarts all of them, and nobody has to be told', async () => {
    const runs = await startRuns();
    await inTheMiddle();
    const writing = await sql<{ pid: number }>(`select pid from pg_stat_activity where application_name = 'flowforge-scheduler-write'`);
    expect(writing).toHaveLength(1);

    for (const { pid } of writing) process.kill(pid, 'SIGKILL');

    await allSucceed(runs);
    await untilAll(200, GREEN_WITHIN_MS);
  }, 120_000);

  it('has no room for the sessions of the api: 503 until it has, then all is well', async () => {
    await sql('alter role flowforge_api connection limit 0');
    await sql(`select pg_terminate_backend(pid) from pg_stat_activity where usename = 'flowforge_api'`);

    await untilRefused();
    await eventually(async () => (await readyCodes())[0] === 503, { within: RED_WITHIN_MS, what: 'the api to be red' });

    await sql('alter role flowforge_api connection limit -1');
    await untilAll(200, GREEN_WITHIN_MS);
    const { id, status } = await eventually(async () => {
      const answer = await submit();
      return answer.status === 201 && answer;
    });
    expect(status).toBe(201);
    await allSucceed([id]);
  }, 90_000);

  it('has booked each effect once, keeps every invariant, and nobody was restarted', async () => {
    for (const role of ['api', 'scheduler', 'worker'] as const) expect(stack.member(role).ending).toBeUndefined();
    const open = async () => (await sql('select 1 from live_runs')).length;
    await eventually(async () => (await open()) === 0, { within: 30_000, what: 'every run to end' });
    expect(new Set(ledger.effects.values())).toEqual(new Set([1]));
    const owner = new pg.Client(urlAs('flowforge_owner'));
    await owner.connect();
    await untilWorkersAreIdle(owner, 1);
    const { summary } = await checkInvariants(owner, { quiescent: true, bounds: { leaseSeconds: 1 } });
    await owner.end();
    expect(summary.broken).toEqual([]);
  }, 60_000);
});
