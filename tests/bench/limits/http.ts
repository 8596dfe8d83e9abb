import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { eventually, freePort } from '#testing';
import { figureOf, type Figure } from '../figures.ts';
import type { LoadDriver } from '../load/load-driver.ts';
import type { Request } from '../load/messages.ts';
import { Meter } from '../measure/meter.ts';
import { percentile } from '../measure/statistics.ts';
import { CONNECTIONS } from '../sizes.ts';

const app = fileURLToPath(new URL('bare/nest-app.mjs', import.meta.url));
const REQUESTS_PER_SECOND = 10_000;
const WARM_UP = 4_000;
const IDLE_REQUESTS = 400;

/** Nest on Fastify without anything behind it, asked over as many connections as FlowForge, and over one (`http-idle`). */
export async function measureBareHttp(driver: LoadDriver, seconds: number): Promise<Figure[]> {
  return await withApp(['none'], async (request, pid) => {
    const parts = { driver: driver.pid, http: pid };
    const loaded = await measureLoad('http', driver, request, parts, seconds);
    const meter = Meter.begin(parts);
    const { latenciesMs } = await driver.carryOut({ kind: 'many', requests: [request], count: IDLE_REQUESTS, connections: 1 });
    const idle = figureOf('limit', 'http-idle', IDLE_REQUESTS, meter.end(), {
      p50Ms: percentile(latenciesMs, 50),
      p99Ms: percentile(latenciesMs, 99),
    });
    return [loaded, idle];
  });
}

/** The same with a durable insert: all requests that arrive while an insert is under way share the next one. */
export async function measureGroupInsert(driver: LoadDriver, url: string, postgres: number, seconds: number): Promise<Figure> {
  return await withApp(['group', url], (request, pid) =>
    measureLoad('http-group-insert', driver, request, { driver: driver.pid, http: pid, postgres }, seconds),
  );
}

async function measureLoad(
  workload: string,
  driver: LoadDriver,
  request: Request,
  parts: Readonly<Record<string, number>>,
  seconds: number,
): Promise<Figure> {
  await driver.carryOut({ kind: 'many', requests: [request], count: WARM_UP, connections: CONNECTIONS });
  const count = Math.round(REQUESTS_PER_SECOND * seconds);
  const meter = Meter.begin(parts);
  const outcome = await driver.carryOut({ kind: 'many', requests: [request], count, connections: CONNECTIONS });
  return figureOf('limit', workload, count, meter.end(), {
    requestsPerSecond: count / outcome.seconds,
    p50Ms: percentile(outcome.latenciesMs, 50),
    p99Ms: percentile(outcome.latenciesMs, 99),
  });
}

async function withApp<T>(args: readonly string[], work: (request: Request, pid: number) => Promise<T>): Promise<T> {
  const port = await freePort();
  const child = spawn(process.execPath, [app, String(port), ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  try {
    await eventually(() => isUp(child, port), { within: 20_000, every: 20, what: 'the bare application to answer' });
    const headers = { 'content-type': 'application/json' };
    return await work({ host: '127.0.0.1', port, method: 'POST', path: '/runs', headers, body: '{"input":{}}' }, child.pid ?? 0);
  } finally {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }
}

async function isUp(child: ChildProcess, port: number): Promise<boolean> {
  if (child.exitCode !== null) throw new Error(`The bare application ended with ${child.exitCode}.`);
  return (await fetch(`http://127.0.0.1:${port}/ready`).catch(() => undefined))?.status === 200;
}
