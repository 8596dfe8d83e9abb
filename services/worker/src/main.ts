import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { redisKey } from '#contracts';
import { DomainError } from '#core';
import { createLogger, createMetrics, NestLogger, startOperationsServer, type Logger } from '#telemetry';
import { pubSubOptions, RedisStreamTransport, WatchedRedisServer } from '#transport';
import { readWorkerConfig, type WorkerProcessConfig } from './config.ts';
import { RedisEpochSource } from './sessions/epoch-source.ts';
import { WorkerModule } from './worker.module.ts';
import { WorkerService } from './worker.service.ts';

const OK = { status: 'ok' as const };
const config = readOrExit();
const logger = await createLogger({ service: 'worker', level: config.logLevel, pretty: process.stdout.isTTY });
try {
  await start(config, logger);
} catch (error) {
  logger.fatal({ err: error }, 'The worker could not start.');
  process.exit(1);
}

async function start(settings: WorkerProcessConfig, log: Logger): Promise<void> {
  const metrics = createMetrics('worker');
  const epochs = new RedisEpochSource(settings.redisUrl);
  const openTransport = (epoch: number) =>
    new RedisStreamTransport({
      url: settings.redisUrl,
      connectionName: `worker ${settings.deployment}`,
      keyOf: (name) => redisKey(epoch, name),
      onEvent: (event) => log.debug({ event }, 'transport'),
    });
  const module = WorkerModule.register({ config: settings, openTransport, epochs, metrics, logger: log });
  const channels = new WatchedRedisServer(pubSubOptions(settings.redisUrl));
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(module, {
    strategy: channels,
    logger: new NestLogger(log),
    abortOnError: false,
  });
  const worker = app.get(WorkerService);
  const checks = {
    ...worker.checks,
    // A cancel that is not heard at once comes with the next heartbeat's answer, or is read before the step starts.
    control: () => Promise.resolve(channels.isAlive ? OK : { status: 'degraded' as const, detail: 'cancels come late' }),
  };
  const operations = await startOperationsServer({ service: 'worker', port: settings.metricsPort, metrics, checks });
  stopOnSignal(worker, async () => {
    // Before the channels close: a cancel must still reach the steps that are ending.
    await worker.beforeApplicationShutdown();
    await app.close();
    await operations.close();
  });
  await app.listen();
}

/** The first signal drains, the second ends at once. */
function stopOnSignal(worker: WorkerService, stop: () => Promise<void>): void {
  let stopping = false;
  const onSignal = (signal: NodeJS.Signals) => {
    if (stopping) {
      logger.warn({ signal }, 'Stopped at once by a second signal.');
      void worker.killSteps().finally(() => process.exit(143));
      return;
    }
    stopping = true;
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.fatal({ err: error }, 'The worker could not stop in order.');
        process.exit(1);
      },
    );
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, onSignal);
}

function readOrExit(): WorkerProcessConfig {
  try {
    return readWorkerConfig();
  } catch (error) {
    process.stderr.write(`${error instanceof DomainError ? `${error.message}\n${error.remedy ?? ''}` : String(error)}\n`);
    return process.exit(78);
  }
}
