import { randomUUID } from 'node:crypto';
import { NestFactory } from '@nestjs/core';
import type { CustomTransportStrategy, MicroserviceOptions } from '@nestjs/microservices';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { HotConnection, SessionWatch, readEpoch, validateGraphs } from '#store';
import { NestLogger, type ReadinessCheck } from '#telemetry';
import { StreamsServer } from '#transport';
import { WakeSignal } from './leader/wake-signal.ts';
import { readinessChecks } from './readiness.ts';
import { SchedulerModule, type SchedulerSurroundings } from './scheduler.module.ts';
import { familiesOf, streamsOf } from './stream-families.ts';

export interface SchedulerOptions extends Omit<SchedulerSurroundings, 'onDeployments' | 'watch'> {
  /** Hears wake-ups and questions: Nest's Redis server, or its twin within the process. Closed with the scheduler. */
  readonly eventsServer: CustomTransportStrategy;
}

export interface RunningScheduler {
  readonly checks: Readonly<Record<string, ReadinessCheck>>;
  /** Stops reading, finishes what is under way, lets go of the leader's lease. The transport belongs to whoever made it. */
  close(): Promise<void>;
}

/**
 * Checks that the database's graphs are the declared ones and returns its epoch: what a scheduler needs before it can name its streams.
 * Throws `graph.invalid`, or the driver's error.
 */
export async function examineDatabase(databaseUrl: string, log: (line: string) => void): Promise<number> {
  const probe = new HotConnection(databaseUrl, 'scheduler-probe');
  try {
    await validateGraphs({ query: (text) => probe.query({ name: '', text }, []) }, { info: log });
    return await readEpoch(probe);
  } finally {
    await probe.close();
  }
}

/** Starts a scheduler in this process. */
export async function startScheduler({ eventsServer, ...surroundings }: SchedulerOptions): Promise<RunningScheduler> {
  const { config, databaseUrl, transport, logger, metrics } = surroundings;
  // A process whose validation fails does not come as far as this, and cannot be scraped.
  metrics.gauge({ name: 'flowforge_startup_validation_failed', help: '0: the state graphs are those of the database.' }).set(0);
  const streamsServer = new StreamsServer({ transport, families: familiesOf(config, randomUUID()) });
  let wake: () => void = () => undefined;
  const watch = new SessionWatch({ url: databaseUrl, name: 'scheduler', log: logger, onBack: () => wake() });
  const module = SchedulerModule.register({
    ...surroundings,
    watch,
    onDeployments: async (names) => {
      for (const [family, list] of Object.entries(streamsOf(names))) await streamsServer.setStreams(family, list);
    },
  });
  // The adapter is not listened on: two message strategies in one process need a whole application around them.
  const app = await NestFactory.create(module, new FastifyAdapter(), { logger: new NestLogger(logger), abortOnError: false });
  app.connectMicroservice<MicroserviceOptions>({ strategy: streamsServer });
  app.connectMicroservice<MicroserviceOptions>({ strategy: eventsServer });
  await app.startAllMicroservices();
  await app.init();
  wake = () => app.get(WakeSignal).ring();
  return {
    checks: readinessChecks(app, { database: watch, transport, streams: streamsServer }),
    close: async () => {
      await streamsServer.close();
      await app.close();
      await watch.close();
    },
  };
}
