import { z } from 'zod';
import { setting } from '#telemetry';

/** The configuration of the one-process profile. What the three services read besides is taken from the same environment. */
export const LocalSettings = z.object({
  NODE_ENV: setting.nodeEnv(),
  LOG_LEVEL: setting.logLevel(),
  PORT: setting.port(3000).describe('the port of the API on 127.0.0.1'),
  DATA_DIR: z.string().default('./data').describe('the folder that holds everything: database, files, admin token'),
  HANDLERS: setting.list().describe('the handler modules of your steps, as paths or package names').meta({ example: './steps/orders.ts' }),
  WORKER_CONCURRENCY: setting
    .integer({ min: 1, max: 1_000, fallback: 4 })
    .describe('the number of steps of each deployment that run at once'),
  LEASE_SECONDS: setting.seconds({ min: 0.5, max: 600, fallback: 5 }).describe('how long a silent worker keeps its steps, in seconds'),
  HEARTBEAT_SECONDS: setting.seconds({ min: 0.1, max: 60, fallback: 1 }).describe('the time between two heartbeats, in seconds'),
  SWEEP_SECONDS: setting.seconds({ min: 0.1, max: 60, fallback: 1 }).describe('the time between two sweeps, in seconds'),
  WORKFLOW_MAX_CONCURRENT_EXECUTIONS: setting
    .integer({ min: 0, max: 1_000_000, fallback: 20 })
    .describe('how many runs of one deployment run at once; 0: no limit'),
});
export type LocalConfig = z.output<typeof LocalSettings>;
