import 'reflect-metadata';
import { epochKey, redisKey } from '#contracts';
import { DomainError } from '#core';
import { createLogger, createMetrics, parseConfig, startOperationsServer, type Logger } from '#telemetry';
import { RedisStreamTransport, WatchedRedisClient, WatchedRedisServer, pubSubOptions } from '#transport';
import { SchedulerSettings, type SchedulerConfig } from './config.ts';
import { examineDatabase, startScheduler } from './start-scheduler.ts';

/** How long the epoch's key outlives the last scheduler that wrote it. */
const EPOCH_KEY_MS = 7 * 86_400_000;
/** Exit codes: the configuration is wrong (78, EX_CONFIG); the process has to begin anew, because the database's epoch changed (75, EX_TEMPFAIL). */
const EXIT = { config: 78, epoch: 75, failed: 1, secondSignal: 143 } as const;

const OK = { status: 'ok' as const };

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
  const epoch = await examineDatabase(settings.DATABASE_URL, (line) => log.info(line));
  const outside = new RedisStreamTransport({ url: settings.REDIS_URL, connectionName: 'scheduler epoch' });
  const transport = new RedisStreamTransport({
    url: settings.REDIS_URL,
    connectionName: 'scheduler',
    keyOf: (name) => redisKey(epoch, name),
    onEvent: (event) => log.debug({ event }, 'transport'),
  });
  const events = new WatchedRedisClient(pubSubOptions(settings.REDIS_URL));
  const eventsServer = new WatchedRedisServer(pubSubOptions(settings.REDIS_URL));
  const scheduler = await startScheduler({
    config: settings,
    databaseUrl: settings.DATABASE_URL,
    epoch,
    transport,
    events,
    eventsServer,
    logger: log,
    metrics,
    onEpochChanged: (changed) => {
      log.fatal({ epoch, changed }, 'The database has another epoch: it was restored or replaced. The scheduler begins anew.');
      process.exit(EXIT.epoch);
    },
    onRound: async () => {
      if (!outside.health.connected) return;
      await outside
        .mark(epochKey, String(epoch), EPOCH_KEY_MS)
        .catch((error: unknown) => log.warn({ err: error }, 'the epoch could not be announced'));
    },
  });
  const checks = {
    ...scheduler.checks,
    // A wake-up that is not heard costs the rest of a sweep's pause.
    wakeups: () => Promise.resolve(eventsServer.isAlive ? OK : { status: 'degraded' as const, detail: 'wake-ups are not heard' }),
  };
  const operations = await startOperationsServer({ service: 'scheduler', port: settings.METRICS_PORT, metrics, checks });
  onStopSignal(async (signal) => {
    log.info({ signal }, 'stopping');
    await scheduler.close();
    await Promise.all([operations.close(), transport.close(), outside.close(), events.close()]);
  });
  log.info({ epoch, metricsPort: operations.port }, 'The scheduler is ready.');
}

/** The first signal stops in order, the second at once. */
function onStopSignal(stop: (signal: NodeJS.Signals) => Promise<void>): void {
  let stopping = false;
  const onSignal = (signal: NodeJS.Signals) => {
    if (stopping) process.exit(EXIT.secondSignal);
    stopping = true;
    stop(signal).then(
      () => process.exit(0),
      (error: unknown) => {
        logger.fatal({ err: error }, 'The scheduler could not stop in order.');
        process.exit(EXIT.failed);
      },
    );
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, onSignal);
}

function readConfig(): SchedulerConfig {
  try {
    return parseConfig(SchedulerSettings);
  } catch (error) {
    process.stderr.write(`${error instanceof DomainError ? `${error.message}\n${error.remedy ?? ''}` : String(error)}\n`);
    return process.exit(EXIT.config);
  }
}
