import 'reflect-metadata';
import { Logger as NestDefault } from '@nestjs/common';
import { DomainError } from '#core';
import { readTenancyConfig } from '#store';
import { type Logger, NestLogger, createLogger, createMetrics, parseConfig, startOperationsServer } from '#telemetry';
import {
  InProcessHub,
  InProcessPubSubClient,
  InProcessPubSubServer,
  WatchedRedisClient,
  WatchedRedisServer,
  pubSubOptions,
} from '#transport';
import { ApiConfig } from './config.ts';
import { redisCheck } from './events/redis-check.ts';
import { startApi } from './start-api.ts';

/** Exit codes: the configuration is wrong (78, EX_CONFIG), or the start failed. */
const EXIT = { config: 78, failed: 1 } as const;

const config = readConfig();
const logger = await createLogger({ service: 'api', level: config.LOG_LEVEL, pretty: config.LOG_PRETTY });
try {
  await start(logger);
} catch (error) {
  logger.fatal({ err: error }, error instanceof DomainError ? error.message : 'The api could not start.');
  process.exit(error instanceof DomainError && error.code.startsWith('config.') ? EXIT.config : EXIT.failed);
}

async function start(log: Logger): Promise<void> {
  // The way to Redis opens before Nest is told where its lines go.
  NestDefault.overrideLogger(new NestLogger(log));
  const metrics = createMetrics('api');
  const { events, eventsServer, checks } = eventsOf(config.REDIS_URL);
  const api = await startApi({ config, tenancy: readTenancyConfig(process.env), logger: log, metrics, events, eventsServer, checks });
  const operations = await startOperationsServer({ service: 'api', port: config.METRICS_PORT, metrics, checks: api.checks });
  log.info({ url: api.url, metricsPort: operations.port }, 'The api is ready.');
  let stopping = false;
  const stop = async (signal: NodeJS.Signals) => {
    // A second signal means now.
    if (stopping) process.exit(143);
    stopping = true;
    log.info({ signal }, 'stopping');
    await api.close();
    // Without Redis its client has nobody to take leave of.
    await Promise.resolve(events.close()).catch(() => {});
    await operations.close();
    process.exit(0);
  };
  process.on('SIGTERM', (signal) => void stop(signal));
  process.on('SIGINT', (signal) => void stop(signal));
}

/** Without Redis nobody is woken: schedulers and event streams look by themselves. */
function eventsOf(redisUrl: string | undefined) {
  if (redisUrl === undefined) {
    const hub = new InProcessHub();
    return { events: new InProcessPubSubClient(hub), eventsServer: new InProcessPubSubServer(hub), checks: {} };
  }
  const events = new WatchedRedisClient(pubSubOptions(redisUrl));
  const eventsServer = new WatchedRedisServer(pubSubOptions(redisUrl));
  // Not waited for: the api serves without Redis, and tries until it is there.
  events.connect().catch(() => {});
  return { events, eventsServer, checks: { redis: redisCheck(events, eventsServer) } };
}

function readConfig(): ApiConfig {
  try {
    return parseConfig(ApiConfig);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return process.exit(EXIT.config);
  }
}
