/**
 * `npm run bench [-- --quick] [--json] [--statements]`: the engine through its real HTTP API, with api, scheduler and worker as processes of their own,
 * PostgreSQL with fsync and synchronous_commit on, Redis with its append-only file; beside it the batch compare-and-set limit of the same run.
 * Prints the limits it sets. Exits 1 when a run was lost or the audit is not exact.
 */
import { rm } from 'node:fs/promises';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { Pool } from 'undici';
import { paths } from '#contracts';
import { startEmbeddedPostgres } from '#embedded';
import { createOwnedDatabase, migrate } from '#store';
import { makeTestFolder, startRedis } from '#testing';
import { SINGLE_STEP, chain, fanOut } from '../harness/definitions.ts';
import { Stack } from '../harness/stack.ts';
import { measureBatchLimit } from './batch-limit.ts';
import { cpuMs } from './cpu-time.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    statements: { type: 'boolean', default: false },
  },
});
const sizes = values.quick
  ? { single: 2_000, batch: 2_000, chains: 100, width: 1_000, limitSeconds: 2 }
  : { single: 20_000, batch: 20_000, chains: 1_000, width: 1_000, limitSeconds: 5 };
const CONNECTIONS = 32;
const BATCH_ITEMS = 1_000;
const PASSWORD = 'bench';
const LIMITS = {
  WORKFLOW_MAX_CONCURRENT_EXECUTIONS: '100000',
  LEASE_SECONDS: '10',
  HEARTBEAT_SECONDS: '3',
  SWEEP_SECONDS: '2',
  NODE_ENV: 'test',
};
const WORKER = { WORKER_CONCURRENCY: '512', WORKER_PREFETCH: '2048' };

interface Figure {
  readonly name: string;
  readonly runs: number;
  readonly steps: number;
  readonly submitSeconds: number;
  readonly seconds: number;
  /** Processor time in milliseconds of each part of the system; the load driver's is not counted. */
  readonly cpuMs: Readonly<Record<string, number>>;
}

const say = (line: string) => (values.json ? process.stderr : process.stdout).write(`${line}\n`);

say(
  `Machine: ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}; Node ${process.version}. Starting PostgreSQL (fsync on), Redis, api, scheduler, worker …`,
);
const folder = await makeTestFolder('bench');
const postgres = await startEmbeddedPostgres({
  dataDir: folder,
  settings: {
    shared_buffers: '1GB',
    max_wal_size: '4GB',
    max_connections: 100,
    shared_preload_libraries: 'pg_stat_statements',
    'pg_stat_statements.track': 'all',
  },
});
const redis = await startRedis({ appendonly: true, own: true });
const urls = await prepareDatabase();
const owner = new pg.Client(urls.ownerUrl);
await owner.connect();
const superuser = new pg.Client(postgres.superuserUrl('bench'));
await superuser.connect();
const stack = await Stack.start({ database: urls, redis, env: LIMITS, workerEnv: WORKER });
let exact = false;
try {
  say(`Limits set: ${JSON.stringify({ ...LIMITS, ...WORKER, connections: CONNECTIONS })}`);
  const roots = {
    api: stack.member('api').pid,
    scheduler: stack.member('scheduler').pid,
    worker: stack.member('worker').pid,
    redis: redis.pid,
    postgres: postgres.pid,
  };
  const limitBefore = cpuMs([postgres.pid]);
  const limit = await measureBatchLimit(urls.ownerUrl, sizes.limitSeconds);
  const limitCpuUs = ((cpuMs([postgres.pid]) - limitBefore) * 1000) / limit.rows;
  say(
    `Limit: ${rate(limit.rowsPerSecond)} compare-and-set rows with audit per second (500 × 4 connections), ${limitCpuUs.toFixed(1)} µs of PostgreSQL's CPU each.\n`,
  );
  const figures = [
    await measure('W1  single-step runs, one POST each', sizes.single, 1, SINGLE_STEP, submitSingly, roots),
    await measure('W1b single-step runs, 1,000 a POST', sizes.batch, 1, SINGLE_STEP, submitInBatches, roots),
    await measure('W2  chains of ten steps', sizes.chains, 10, chain(10), submitInBatches, roots),
    await measure(`W4  one run of ${sizes.width} parallel steps and a join`, 1, sizes.width + 1, fanOut(sizes.width), submitSingly, roots),
  ];
  exact = await checkAudit(figures);
  print(figures, limit.rowsPerSecond, limitCpuUs, exact);
} finally {
  await stack.stop();
  await owner.end();
  await superuser.end();
  await redis.stop();
  await postgres.destroy();
  await rm(folder, { recursive: true, force: true });
}
process.exit(exact ? 0 : 1);

async function prepareDatabase(): Promise<{ ownerUrl: string; apiUrl: string; schedulerUrl: string }> {
  await createOwnedDatabase(postgres.superuserUrl(), 'bench', PASSWORD);
  const urlAs = (role: string) => `postgresql://${role}:${PASSWORD}@127.0.0.1:${postgres.port}/bench`;
  await migrate({ url: urlAs('flowforge_owner'), passwords: { api: PASSWORD, scheduler: PASSWORD } });
  return { ownerUrl: urlAs('flowforge_owner'), apiUrl: urlAs('flowforge_api'), schedulerUrl: urlAs('flowforge_scheduler') };
}

async function measure(
  name: string,
  runs: number,
  stepsPerRun: number,
  definition: string,
  submit: (workflow: string, runs: number) => Promise<void>,
  roots: Readonly<Record<string, number>>,
): Promise<Figure> {
  const workflow = await stack.api.apply(definition);
  const cpuBefore = cpuOf(roots);
  const began = performance.now();
  await submit(workflow, runs);
  const submitSeconds = (performance.now() - began) / 1000;
  await drained();
  const seconds = (performance.now() - began) / 1000;
  const taken = Object.fromEntries(Object.entries(cpuOf(roots)).map(([part, ms]) => [part, ms - (cpuBefore[part] ?? 0)]));
  if (values.statements) await tellStatements();
  const figure = { name, runs, steps: runs * stepsPerRun, submitSeconds, seconds, cpuMs: taken };
  say(`${name}: ${rate(runs / seconds)} runs/s, ${rate(figure.steps / seconds)} steps/s`);
  return figure;
}

function cpuOf(roots: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(roots).map(([part, pid]) => [part, cpuMs([pid])]));
}

/** What PostgreSQL spent its time on since the last look. */
async function tellStatements(): Promise<void> {
  await superuser.query('create extension if not exists pg_stat_statements');
  const { rows } = await superuser.query<{ ms: number; calls: string; rows: string; query: string }>(`
    select total_exec_time as ms, calls, rows, left(regexp_replace(query, '\\s+', ' ', 'g'), 90) as query
      from pg_stat_statements where total_exec_time > 1 order by total_exec_time desc limit 16`);
  for (const { ms, calls, rows: count, query } of rows)
    say(`  ${ms.toFixed(0).padStart(7)} ms ${calls.padStart(7)} calls ${count.padStart(8)} rows  ${query}`);
  await superuser.query('select pg_stat_statements_reset()');
}

async function drained(): Promise<void> {
  for (;;) {
    const { rows } = await owner.query<{ live: boolean }>('select exists (select from live_runs) as live');
    if (!rows[0]?.live) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function submitSingly(workflow: string, runs: number): Promise<void> {
  await withPool(async (post) => {
    let next = 0;
    const worker = async () => {
      while (next++ < runs) await post(paths.workflowRuns(workflow), { input: {} });
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  });
}

async function submitInBatches(workflow: string, runs: number): Promise<void> {
  await withPool(async (post) => {
    for (let left = runs; left > 0; left -= BATCH_ITEMS) {
      await post(paths.runsBatch, {
        items: Array.from({ length: Math.min(left, BATCH_ITEMS) }, () => ({ workflowId: workflow, input: {} })),
      });
    }
  });
}

async function withPool(work: (post: (path: string, body: unknown) => Promise<void>) => Promise<void>): Promise<void> {
  const pool = new Pool(stack.api.url, { connections: CONNECTIONS });
  const headers = { ...stack.api.authorization, 'content-type': 'application/json' };
  await work(async (path, body) => {
    const response = await pool.request({ method: 'POST', path, headers, body: JSON.stringify(body) });
    const text = await response.body.text();
    if (response.statusCode >= 300) throw new Error(`POST ${path}: ${response.statusCode} ${text.slice(0, 300)}`);
  });
  await pool.close();
}

/** Six audit rows for a single-step run, three for each further step; every run succeeded. */
async function checkAudit(figures: readonly Figure[]): Promise<boolean> {
  const due = figures.reduce((sum, figure) => sum + 3 * figure.runs + 3 * figure.steps, 0);
  const { rows } = await owner.query<{ audit: number; good: number; runs: number }>(`
    select (select count(*)::int from workflow_transition_audit) as audit,
           (select count(*)::int from workflow_runs where state = 'SUCCEEDED') as good, (select count(*)::int from workflow_runs) as runs`);
  const seen = rows[0] ?? { audit: 0, good: 0, runs: 0 };
  const all = figures.reduce((sum, figure) => sum + figure.runs, 0);
  say(
    `\nAudit rows: ${rate(seen.audit)}, due ${rate(due)}. Runs: ${rate(seen.runs)}, succeeded ${rate(seen.good)}, submitted ${rate(all)}.`,
  );
  return seen.audit === due && seen.good === all && seen.runs === all;
}

function print(figures: readonly Figure[], limit: number, limitCpuUs: number, audited: boolean): void {
  if (values.json) {
    process.stdout.write(
      `${JSON.stringify({ node: process.version, cpus: cpus().length, limits: { ...LIMITS, ...WORKER }, batchLimit: { rowsPerSecond: limit, cpuUs: limitCpuUs }, figures, audited })}\n`,
    );
    return;
  }
  say(
    '\n| workload | runs | submit/s | runs/s | steps/s | transitions/s | of the limit | CPU ms per run | per step | of which (µs per step) |',
  );
  say('|---|---|---|---|---|---|---|---|---|---|');
  for (const { name, runs, steps, submitSeconds, seconds, cpuMs: parts } of figures) {
    const cpu = Object.values(parts).reduce((sum, ms) => sum + ms, 0);
    const shares = Object.entries(parts).map(([part, ms]) => `${part} ${Math.round((ms * 1000) / steps)}`);
    const transitions = (3 * runs + 3 * steps) / seconds;
    const cells = [name, rate(runs), rate(runs / submitSeconds), rate(runs / seconds), rate(steps / seconds), rate(transitions)];
    say(
      `| ${[...cells, `${((100 * transitions) / limit).toFixed(0)} %`, (cpu / runs).toFixed(3), (cpu / steps).toFixed(3), shares.join(', ')].join(' | ')} |`,
    );
  }
  say(audited ? '\nEvery run ended well; the audit is exact.' : '\nThe audit is NOT exact, or runs were lost.');
}

function rate(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
