import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { ClientRedis, Transport, type MicroserviceOptions } from '@nestjs/microservices';
import { randomUUID } from 'node:crypto';
import { epochKey, redisKey } from '#contracts';
import { DomainError } from '#core';
import { HotConnection, readEpoch, validateGraphs } from '#store';
import { NestLogger, createLogger, createMetrics, parseConfig, startOperationsServer, type Logger } from '#telemetry';
import { RedisStreamTransport, StreamsServer, pubSubOptions } from '#transport';
import { SchedulerSettings, type SchedulerConfig } from './config.ts';
import { readinessChecks } from './readiness.ts';
import { SchedulerModule } from './scheduler.module.ts';
import { familiesOf, streamsOf } from './stream-families.ts';

/** How long the epoch's key outlives the last scheduler that wrote it. */
const EPOCH_KEY_MS = 7 * 86_400_000;
/** Exit codes: the configuration is wrong (78, EX_CONFIG); the process has to begin anew, because the database's epoch changed (75, EX_TEMPFAIL). */
const EXIT = { config: 78, epoch: 75, failed: 1 } as const;

const config = readConfig();
const logger = await createLogger({ service: 'scheduler', level: config.LOG_LEVEL, pretty: process.stdout.isTTY });
try {
  await start(config, logger);
} catch (error) {
  logger.fatal({ err: error }, 'The scheduler could not start.');
  process.exit(EXIT.failed);
}

async function start(settings: SchedulerConfig, log: Logger): Promise<void> {
  const metrics = createMetrics('scheduler');
  const probe = new HotConnection(settings.DATABASE_URL, 'scheduler-probe');
  await validateGraphs({ query: (text) => probe.query({ name: '', text }, []) }, { info: (line) => log.info(line) });
  const epoch = await readEpoch(probe);

  const open = new RedisStreamTransport({ url: settings.REDIS_URL, connectionName: 'scheduler epoch' });
  const transport = new RedisStreamTransport({
    url: settings.REDIS_URL,
    connectionName: 'scheduler',
    keyOf: (name) => redisKey(epoch, name),
    onEvent: (event) => log.debug({ event }, 'transport'),
  });
  const events = new ClientRedis(pubSubOptions(settings.REDIS_URL));
  const streamsServer = new StreamsServer({ transport, families: familiesOf(settings, randomUUID()) });
  const announce = () => open.mark(epochKey, String(epoch), EPOCH_KEY_MS).catch((error: unknown) => log.warn({ err: error }, 'the epoch could not be announced'));

  const module = SchedulerModule.register({
    config: settings,
    databaseUrl: settings.DATABASE_URL,
    epoch,
    transport,
    events,
    logger: log,
    metrics,
    onEpochChanged: (changed) => {
      log.fatal({ epoch, changed }, 'The database has another epoch: it was restored or replaced. The scheduler begins anew.');
      process.exit(EXIT.epoch);
    },
    onRound: announce,
    onDeployments: async (names) => {
      for (const [family, list] of Object.entries(streamsOf(names))) await streamsServer.setStreams(family, list);
    },
  });
  // The adapter is not listened on: two message strategies in one process need a whole application around them.
  const app = await NestFactory.create(module, new FastifyAdapter(), { logger: new NestLogger(log), abortOnError: false });
  app.connectMicroservice<MicroserviceOptions>({ strategy: streamsServer });
  app.connectMicroservice<MicroserviceOptions>({ transport: Transport.REDIS, options: pubSubOptions(settings.REDIS_URL) });
  const operations = await startOperationsServer({ service: 'scheduler', port: settings.METRICS_PORT, metrics, checks: readinessChecks(app, probe, transport) });

  let stopping = false;
  const stop = async (signal: NodeJS.Signals) => {
    if (stopping) process.exit(143);
    stopping = true;
    log.info({ signal }, 'stopping');
    await streamsServer.close();
    await app.close();
    await Promise.all([operations.close(), transport.close(), open.close(), events.close(), probe.close()]);
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop(signal));

  await app.startAllMicroservices();
  await app.init();
  log.info({ epoch, metricsPort: operations.port }, 'The scheduler is ready.');
}

function readConfig(): SchedulerConfig {
  try {
    return parseConfig(SchedulerSettings);
  } catch (error) {
    process.stderr.write(`${error instanceof DomainError ? `${error.message}\n${error.remedy ?? ''}` : String(error)}\n`);
    return process.exit(EXIT.config);
  }
}
