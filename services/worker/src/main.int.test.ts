import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { channels, epochKey } from '#contracts';
import { eventually, freePort, startRedis, type RedisServer } from '#testing';

import { aTask } from './testing/a-task.ts';
import { handlersModule, overRedis, WorkerUnderTest } from './testing/worker-under-test.ts';

const entry = fileURLToPath(new URL('main.ts', import.meta.url));
const hook = fileURLToPath(new URL('../../../tools/swc-hook.mjs', import.meta.url));

let redis: RedisServer;
let client: Redis;

beforeAll(async () => {
  redis = await startRedis();
  client = new Redis(redis.url);
  await client.set(epochKey, '1');
});
afterAll(async () => {
  client.disconnect();
  await redis.stop();
});

describe('the process of a worker', () => {
  let given: WorkerUnderTest;
  let worker: ChildProcess;
  let port: number;
  let output = '';

  beforeEach(async () => {
    given = new WorkerUnderTest(overRedis(redis.url));
    given.listen();
    port = await freePort();
    output = '';
    worker = run({ HANDLERS: handlersModule });
    await eventually(() => given.heartbeats.length > 0, { within: 15_000, what: 'the first heartbeat' });
  });
  afterEach(async () => {
    worker.kill('SIGKILL');
    await given.stop();
  });

  function run(env: Record<string, string>): ChildProcess {
    const settings = {
      DEPLOYMENT: given.deployment,
      REDIS_URL: redis.url,
      METRICS_PORT: `${port}`,
      HEARTBEAT_SECONDS: '0.2',
      LEASE_SECONDS: '1',
    };
    const child = spawn(process.execPath, ['--conditions=ff-src', '--import', hook, entry], {
      env: { PATH: process.env['PATH'], CANCEL_GRACE_SECONDS: '0.2', ...settings, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    return child;
  }

  async function runningSpin(): Promise<{ task: ReturnType<typeof aTask>; pid: number }> {
    const task = aTask({ uses: 'test/spin' });
    await given.send(task);
    await given.running(task);
    const text = await eventually(() => given.linesOf(task)[0]?.text);
    return { task, pid: Number(/\d+/.exec(text)?.[0]) };
  }

  it('answers probes, hears a cancel and drains on SIGTERM with exit code 0', async () => {
    const ready = await fetch(`http://127.0.0.1:${port}/ready`);
    expect([ready.status, await ready.json()]).toEqual([200, expect.objectContaining({ status: 'ok' })]);
    const { task } = await runningSpin();

    const drop = [[task.runId, task.stepNo, task.dispatchNo]];
    const control = { pattern: channels.control(given.deployment), data: { v: 1, session: null, drop, reason: 'cancelled' } };
    await client.publish(channels.control(given.deployment), JSON.stringify(control));
    await given.settled();
    worker.kill('SIGTERM');

    expect(await once(worker, 'exit')).toEqual([0, null]);
    await eventually(() => given.heartbeats.at(-1)?.leaving);
  });

  it('takes its endless steps along when it is killed', async () => {
    const { pid } = await runningSpin();

    worker.kill('SIGKILL');

    await once(worker, 'exit');
    await eventually(() => !isAlive(pid), { within: 5_000, what: 'the end of the orphan' });
  });

  it('ends at once on a second signal', async () => {
    const { pid } = await runningSpin();

    worker.kill('SIGTERM');
    await eventually(() => output.includes('Draining'));
    worker.kill('SIGTERM');

    expect(await once(worker, 'exit')).toEqual([143, null]);
    await eventually(() => !isAlive(pid));
  });

  it('is not ready without a lease, loses its steps, and heals by itself when Redis is back', async () => {
    const { pid } = await runningSpin();
    await client.config('SET', 'maxclients', '1');
    await client.client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes');

    await eventually(() => !isAlive(pid), { within: 15_000, what: 'the end of the step whose lease is lost' });
    await client.config('SET', 'maxclients', '1000');

    const task = aTask();
    await eventually(async () => (await fetch(`http://127.0.0.1:${port}/ready`)).status === 200, { within: 15_000 });
    await given.send(task);
    expect(await given.endOf(task)).toMatchObject({ outcome: 'succeeded' });
    expect(output).toContain('The lease ran out');
  });

  it('refuses to start with a module that does not load, and says which', async () => {
    port = await freePort();
    const broken = run({ HANDLERS: './nowhere.ts' });

    expect(await once(broken, 'exit')).toEqual([1, null]);
    expect(output).toContain('nowhere.ts');
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
