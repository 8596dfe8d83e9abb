import { z } from 'zod';
import { setting } from '#telemetry';

/** The scheduler's configuration: environment variables, parsed once at start. */
export const SchedulerSettings = z.object({
  NODE_ENV: setting.nodeEnv(),
  LOG_LEVEL: setting.logLevel(),
  DATABASE_URL: setting
    .url('postgresql', 'postgres')
    .meta({ secret: true, example: 'postgresql://flowforge_scheduler:…@postgres/flowforge' })
    .describe('the connection of the role flowforge_scheduler'),
  REDIS_URL: setting
    .url('redis', 'rediss')
    .meta({ secret: true, example: 'redis://redis:6379' })
    .describe('the server that carries tasks and reports'),
  METRICS_PORT: setting.port(9190).describe('the port of /health, /ready and /metrics'),
  LEASE_SECONDS: setting.seconds({ min: 0.5, max: 600, fallback: 10 }).describe('how long a silent worker keeps its steps, in seconds'),
  HEARTBEAT_SECONDS: setting
    .seconds({ min: 0.1, max: 60, fallback: 3 })
    .describe('the time between two heartbeats of a worker, in seconds'),
  SWEEP_SECONDS: setting
    .seconds({ min: 0.1, max: 60, fallback: 2 })
    .describe('the time between two sweeps for what came to a stop, in seconds'),
  WORKER_LOSSES_MAX: setting.integer({ min: 0, max: 100, fallback: 3 }).describe('how often the worker of one step may be lost'),
  SILENT_LOSSES_MAX: setting
    .integer({ min: 0, max: 10_000, fallback: 20 })
    .describe('how often one step may be lost that no worker is known to have begun; further losses count as those of its worker'),
  WORKFLOW_MAX_CONCURRENT_EXECUTIONS: setting
    .integer({ min: 0, max: 1_000_000, fallback: 20 })
    .describe('how many runs of one deployment run at once, unless the deployment says otherwise; 0: no limit'),
  IDEMPOTENCY_HOURS: setting
    .integer({ min: 1, max: 8_760, fallback: 24 })
    .describe('how long an idempotency key is remembered, in hours; afterwards it starts a new run'),
  REPORT_BATCH: setting.integer({ min: 1, max: 5_000, fallback: 500 }).describe('the most reports that are written in one transaction'),
  ADMISSION_BATCH: setting
    .integer({ min: 1, max: 5_000, fallback: 500 })
    .describe('the most runs that are looked at per queue and admission'),
});
export type SchedulerConfig = z.output<typeof SchedulerSettings>;
