import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '#testing';
import { figureOf, type Figure } from '../figures.ts';
import type { World } from '../flowforge/world.ts';
import { residentBytes } from '../measure/cpu-time.ts';
import { Meter } from '../measure/meter.ts';
import { median } from '../measure/statistics.ts';

const project = fileURLToPath(new URL('../../..', import.meta.url));
const bareApp = fileURLToPath(new URL('bare/nest-app.mjs', import.meta.url));
const POLL_MS = 5;
const WITHIN_MS = 30_000;

interface Start {
  readonly ms: number;
  readonly megabytes: number;
}

/**
 * P19: from the spawn of a built api to its first `ready`, by turns with bare Nest on Fastify. Both keep what Node compiled for their next start.
 */
export async function measureColdStart(world: World, starts: number): Promise<Figure> {
  const build = spawnSync(process.execPath, ['tools/build.mjs', '--if-stale'], { cwd: project, stdio: ['ignore', 'ignore', 'inherit'] });
  if (build.status !== 0) process.stderr.write('The build could not be made anew: what is started is the last one.\n');
  const [api, bare]: [Start[], Start[]] = [[], []];
  const meter = Meter.begin({}, { own: true });
  const cache = await mkdtemp(join(tmpdir(), 'flowforge-bench-cache-'));
  for (let at = 0; at < starts; at += 1) {
    api.push(await startApi(world));
    bare.push(await startBare(cache));
  }
  await rm(cache, { recursive: true });
  return figureOf('limit', 'cold-start', starts, meter.end(), {
    apiMs: median(api.map(({ ms }) => ms)),
    bareMs: median(bare.map(({ ms }) => ms)),
    apiMegabytes: median(api.map(({ megabytes }) => megabytes)),
    bareMegabytes: median(bare.map(({ megabytes }) => megabytes)),
  });
}

async function startApi(world: World): Promise<Start> {
  const port = await freePort();
  const env = {
    NODE_ENV: 'production',
    DATABASE_URL: world.database.apiUrl,
    REDIS_URL: world.servers.redis.url,
    PORT: String(port),
    HOST: '127.0.0.1',
    METRICS_PORT: String(await freePort()),
    LOG_LEVEL: 'warn',
  };
  return await timeStart(['--enable-source-maps', 'dist/services/api/src/main.js'], port, env);
}

async function startBare(cache: string): Promise<Start> {
  const port = await freePort();
  return await timeStart([bareApp, String(port), 'none'], port, { NODE_COMPILE_CACHE: cache });
}

async function timeStart(args: readonly string[], port: number, env: Readonly<Record<string, string>>): Promise<Start> {
  const began = performance.now();
  const child = spawn(process.execPath, args, {
    cwd: project,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { PATH: process.env['PATH'] ?? '', ...env },
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  try {
    while (!(await isReady(port))) {
      if (child.exitCode !== null) throw new Error(`${args.join(' ')} ended with ${child.exitCode} before it was ready.`);
      if (performance.now() - began > WITHIN_MS) throw new Error(`${args.join(' ')} was not ready within ${WITHIN_MS / 1000} s.`);
      await pause(POLL_MS);
    }
    return { ms: performance.now() - began, megabytes: residentBytes(child.pid ?? 0) / 2 ** 20 };
  } finally {
    // As a rollout ends it: what Node compiled is kept then, for the next start.
    child.kill('SIGTERM');
    await ended;
  }
}

async function isReady(port: number): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}/ready`).catch(() => undefined);
  return response?.status === 200;
}
