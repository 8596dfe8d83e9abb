import { z } from 'zod';
import { setting } from '#telemetry';

/** Everything that the api reads from its environment; deployments have their own variables (docs/api.md, "Configuration"). */
export const ApiConfig = z.object({
  NODE_ENV: setting.nodeEnv(),
  DATABASE_URL: setting
    .url('postgres', 'postgresql')
    .describe('the connection of the role flowforge_api')
    .meta({ example: 'postgres://flowforge_api:…@localhost:5432/flowforge', secret: true }),
  REDIS_URL: setting
    .url('redis', 'rediss')
    .optional()
    .describe('Redis, for wake-ups and live events; without it everything works, a little later')
    .meta({ secret: true }),
  PORT: setting.port(8080).describe('the port of the API'),
  HOST: z.string().default('0.0.0.0').describe('the address to listen on'),
  METRICS_PORT: setting.port(9090).describe('the port of /metrics'),
  LOG_LEVEL: setting.logLevel(),
  LOG_PRETTY: setting.flag(false),
  FLOWFORGE_ADMIN_TOKEN: setting.secret().optional().describe('a key with the role admin, accepted from the first start'),
  DATABASE_POOL_MAX: setting.integer({ min: 1, max: 200, fallback: 20 }).describe('the connections for plain reads and writes'),
  DATABASE_ACQUIRE_SECONDS: setting
    .seconds({ min: 0.1, max: 60, fallback: 5 })
    .describe('how long a request waits for a connection, in seconds'),
  SUBMIT_LANES: setting
    .integer({ min: 1, max: 16, fallback: 2 })
    .describe('the connections that insert groups of runs; several at once when groups are full'),
  COMMAND_LANES: setting.integer({ min: 1, max: 16, fallback: 4 }).describe('the connections that cancel and retry runs'),
  SUBMIT_GROUP_MAX: setting.integer({ min: 1, max: 5_000, fallback: 500 }).describe('the runs of one insert'),
  SUBMIT_PENDING_MAX: setting
    .integer({ min: 1, max: 100_000, fallback: 10_000 })
    .describe('the submits that may wait; more are answered 503'),
  EVENT_STREAMS_MAX: setting.integer({ min: 1, max: 100_000, fallback: 1_000 }).describe('the open event streams of this process'),
  WORKFLOW_MAX_CONCURRENT_EXECUTIONS: setting
    .integer({ min: 0, max: 1_000_000, fallback: 20 })
    .describe('the runs that may be RUNNING in a deployment without a limit of its own (explanations quote it)'),
  WORKFLOW_DEFAULT_TIMEOUT: setting
    .seconds({ min: 1, max: 31_622_400, fallback: 300 })
    .describe('how long a step may run whose definition does not say, in seconds'),
  SHUTDOWN_SECONDS: setting
    .seconds({ min: 0, max: 600, fallback: 25 })
    .describe('how long open requests may take after SIGTERM, in seconds'),
});
export type ApiConfig = z.infer<typeof ApiConfig>;
