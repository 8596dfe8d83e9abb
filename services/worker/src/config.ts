import { hostname } from 'node:os';
import { z } from 'zod';
import type { PrivateAddresses } from '#connectors';
import { DomainError } from '#core';
import { parseConfig, setting, type LogLevel } from '#telemetry';

/** What a worker is told. Seconds may have decimals. */
export interface WorkerConfig {
  readonly deployment: string;
  /** For people: host or pod name. */
  readonly worker: string;
  /** Steps that run at once in processes. */
  readonly concurrency: number;
  /** Tasks taken and not yet settled. */
  readonly prefetch: number;
  /** Handler modules: paths or package names, found from `handlersFolder`. */
  readonly handlers: readonly string[];
  readonly handlersFolder: string;
  readonly heartbeatSeconds: number;
  readonly leaseSeconds: number;
  /** From the abort signal to SIGKILL. */
  readonly cancelGraceSeconds: number;
  /** How long running steps may take to end when the worker stops. */
  readonly drainSeconds: number;
  readonly privateAddresses: PrivateAddresses;
}

/** What the process around it is told. */
export interface WorkerProcessConfig extends WorkerConfig {
  readonly redisUrl: string;
  readonly metricsPort: number;
  readonly logLevel: LogLevel;
  readonly isProduction: boolean;
}

const prefetchMax = 256;

/** The worker's variables. */
export const workerSchema = z.object({
  NODE_ENV: setting.nodeEnv(),
  LOG_LEVEL: setting.logLevel(),
  DEPLOYMENT: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._/-]{0,199}$/, 'must be the name of a deployment in lower case')
    .describe('the name of the deployment whose steps this worker runs')
    .meta({ example: 'production-finance' }),
  REDIS_URL: setting.url('redis', 'rediss').describe('the Redis of the task streams').meta({ example: 'redis://localhost:6379' }),
  WORKER_NAME: z.string().default(hostname()).describe('the name shown to people'),
  WORKER_CONCURRENCY: setting.integer({ min: 1, max: 1_000, fallback: 2 }).describe('the number of steps that run at once'),
  WORKER_PREFETCH: setting
    .integer({ min: 0, max: 4_096, fallback: 0 })
    .describe('the number of tasks taken ahead; 0 chooses WORKFLOW_QUEUE_CONCURRENCY, or min(2 × concurrency, 256) where that is more'),
  WORKFLOW_QUEUE_CONCURRENCY: setting
    .integer({ min: 1, max: 4_096, fallback: 10 })
    .describe('the number of tasks that a worker takes from its queue and has not ended, at the least'),
  HANDLERS: setting.list().describe('the handler modules, as paths or package names').meta({ example: './steps/orders.ts,@acme/steps' }),
  HEARTBEAT_SECONDS: setting.seconds({ min: 0.05, max: 60, fallback: 3 }).describe('the time between heartbeats'),
  LEASE_SECONDS: setting
    .seconds({ min: 0.2, max: 600, fallback: 10 })
    .describe("the time after which a silent worker's steps are given to others; the scheduler's must be the same"),
  CANCEL_GRACE_SECONDS: setting.seconds({ min: 0, max: 300, fallback: 5 }).describe('the time from the abort signal to the end by force'),
  DRAIN_SECONDS: setting
    .seconds({ min: 0, max: 3_600, fallback: 25 })
    .describe('the time that running steps have to end when the worker stops'),
  METRICS_PORT: setting.port(9290).describe('the port of /health, /ready and /metrics'),
  HTTP_STEP_PRIVATE_ADDRESSES: z
    .enum(['deny', 'allow'], { error: 'must be deny or allow' })
    .default('deny')
    .describe('whether http steps may call private and loopback addresses'),
});

/** Reads the environment. Throws `config.invalid`; in production also `config.database_in_worker` when a worker could reach a database. */
export function readWorkerConfig(env: Readonly<Record<string, string | undefined>> = process.env): WorkerProcessConfig {
  const given = parseConfig(workerSchema, env);
  const isProduction = given.NODE_ENV === 'production' || given.NODE_ENV === 'staging';
  if (isProduction) refuseDatabases(env);
  if (given.HEARTBEAT_SECONDS * 2 > given.LEASE_SECONDS) {
    throw new DomainError(
      'config.invalid',
      'HEARTBEAT_SECONDS must be at most half of LEASE_SECONDS: one lost heartbeat must not cost the lease.',
    );
  }
  return {
    deployment: given.DEPLOYMENT,
    worker: given.WORKER_NAME,
    concurrency: given.WORKER_CONCURRENCY,
    prefetch: given.WORKER_PREFETCH || Math.max(given.WORKFLOW_QUEUE_CONCURRENCY, defaultPrefetch(given.WORKER_CONCURRENCY)),
    handlers: given.HANDLERS,
    handlersFolder: process.cwd(),
    heartbeatSeconds: given.HEARTBEAT_SECONDS,
    leaseSeconds: given.LEASE_SECONDS,
    cancelGraceSeconds: given.CANCEL_GRACE_SECONDS,
    drainSeconds: given.DRAIN_SECONDS,
    privateAddresses: given.HTTP_STEP_PRIVATE_ADDRESSES,
    redisUrl: given.REDIS_URL,
    metricsPort: given.METRICS_PORT,
    logLevel: given.LOG_LEVEL,
    isProduction,
  };
}

/** Enough to keep the places filled during a round trip, and little enough to leave work for other workers. */
export function defaultPrefetch(concurrency: number): number {
  return Math.min(2 * concurrency, prefetchMax);
}

/** A worker runs other people's code: what it cannot reach cannot be abused. */
function refuseDatabases(env: Readonly<Record<string, string | undefined>>): void {
  const variable = Object.keys(env).find((name) => /(^|_)DATABASE_URL$|^PG(PASSWORD|PASSFILE|SERVICE)$/.test(name) && env[name]);
  if (variable === undefined) return;
  throw new DomainError(
    'config.database_in_worker',
    `${variable} is set: a worker must not be able to reach a database.`,
    { variable },
    `Take ${variable} out of the worker's environment.`,
  );
}
