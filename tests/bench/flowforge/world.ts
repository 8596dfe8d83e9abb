import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { paths } from '#contracts';
import { Stack } from '../../harness/stack.ts';
import { LoadDriver } from '../load/load-driver.ts';
import type { Request } from '../load/messages.ts';
import { CpuTimes } from '../measure/cpu-time.ts';
import type { Parts } from '../measure/meter.ts';
import type { FlowForgeDatabase, Servers } from '../servers.ts';
import { BATCH_ITEMS, CONNECTIONS } from '../sizes.ts';

const DRAINED_POLL_MS = 10;
const DRAINED_WITHIN_MS = 600_000;

/** The limits and quotas that the bench sets; all others are the defaults. */
export const SERVICE_LIMITS = {
  WORKFLOW_MAX_CONCURRENT_EXECUTIONS: '100000',
  LEASE_SECONDS: '10',
  HEARTBEAT_SECONDS: '3',
  SWEEP_SECONDS: '2',
  NODE_ENV: 'test',
} as const;
export const WORKER_LIMITS = {
  WORKER_CONCURRENCY: '512',
  WORKER_PREFETCH: '2048',
  HANDLERS: './tests/bench/flowforge/mark-step.ts',
} as const;

/** For the head of a report. */
export const LIMITS_SET = { ...SERVICE_LIMITS, ...WORKER_LIMITS, connections: CONNECTIONS };

/** FlowForge with one process of each kind over a database, and the process that puts load on it. */
export class World {
  private constructor(
    readonly servers: Servers,
    readonly database: FlowForgeDatabase,
    readonly stack: Stack,
    readonly driver: LoadDriver,
    /** Reads rows and counts; never part of what is measured. */
    readonly owner: pg.Client,
  ) {}

  /** `profile`: a folder for processor profiles, which are written when the processes end. */
  static async start(servers: Servers, database: FlowForgeDatabase, profile: string | null = null): Promise<World> {
    const profiling = profile ? { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profile}` } : {};
    const owner = new pg.Client(database.ownerUrl);
    owner.on('error', () => {});
    await owner.connect();
    const env = { ...SERVICE_LIMITS, ...profiling };
    const stack = await Stack.start({ database, redis: servers.redis, env, workerEnv: WORKER_LIMITS });
    return new World(servers, database, stack, await LoadDriver.start(), owner);
  }

  /** Whose processor time counts. */
  get parts(): Parts {
    const { stack, servers } = this;
    return {
      driver: this.driver.pid,
      api: stack.member('api').pid,
      scheduler: stack.member('scheduler').pid,
      worker: stack.member('worker').pid,
      redis: servers.redis.pid,
      postgres: servers.postgres.pid,
    };
  }

  /** A request of the API with the token. */
  request(method: string, path: string, body?: unknown): Request {
    const { hostname, port } = new URL(this.stack.api.url);
    const headers = { ...this.stack.api.authorization, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
    return { host: hostname, port: Number(port), method, path, headers, body: body === undefined ? '' : JSON.stringify(body) };
  }

  startOf(workflow: string): Request {
    return this.request('POST', paths.workflowRuns(workflow), { input: {} });
  }

  /** One request that starts `items` runs. */
  batchOf(workflow: string, items = BATCH_ITEMS): Request {
    return this.request('POST', paths.runsBatch, { items: Array.from({ length: items }, () => ({ workflowId: workflow, input: {} })) });
  }

  /** Waits until no run is left that has not ended. */
  async drained(): Promise<void> {
    const until = performance.now() + DRAINED_WITHIN_MS;
    while (performance.now() < until) {
      const { rows } = await this.owner.query<{ live: boolean }>('select exists (select from live_runs) as live');
      if (!rows[0]?.live) return;
      await pause(DRAINED_POLL_MS);
    }
    throw new Error(`Runs were still under way after ${DRAINED_WITHIN_MS / 1000} s.`);
  }

  /** Waits until the processes have next to nothing to do: what a workload leaves behind is not the next one's. */
  async calm(withinMs = 5_000): Promise<void> {
    const until = performance.now() + withinMs;
    for (let before = this.busyMs(); performance.now() < until;) {
      await pause(250);
      const now = this.busyMs();
      if (now - before < 25) return;
      before = now;
    }
  }

  private busyMs(): number {
    const times = CpuTimes.now();
    return Object.values(this.parts).reduce((sum, pid) => sum + times.treeMs(pid), 0);
  }

  /** With the scheduler stopped in its tracks, submits are accepted and nothing runs. */
  async withSchedulerPaused<T>(work: () => Promise<T>): Promise<T> {
    const { pid } = this.stack.member('scheduler');
    process.kill(pid, 'SIGSTOP');
    try {
      return await work();
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  }

  /** Bytes that the database takes on disk. */
  async databaseBytes(): Promise<number> {
    const { rows } = await this.owner.query<{ bytes: string }>('select pg_database_size(current_database()) as bytes');
    return Number(rows[0]?.bytes ?? 0);
  }

  async stop(): Promise<void> {
    this.driver.stop();
    await this.stack.stop();
    await this.owner.end();
  }
}
