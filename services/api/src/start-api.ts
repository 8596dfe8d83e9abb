import { setTimeout as delay } from 'node:timers/promises';
import { NestFactory } from '@nestjs/core';
import type { CustomTransportStrategy, MicroserviceOptions } from '@nestjs/microservices';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  ApiKeyStore,
  type Database,
  HotConnection,
  SessionWatch,
  type TenancyConfig,
  openDatabase,
  seedDeployments,
  validateGraphs,
} from '#store';
import { type Logger, type Metrics, NestLogger, type ReadinessCheck } from '#telemetry';
import { ApiMetrics } from './api-metrics.ts';
import { ApiModule } from './api.module.ts';
import { acceptAdminToken } from './auth/admin-token.ts';
import type { ApiConfig } from './config.ts';
import { ConcurrencyKeys } from './runs/concurrency-keys.ts';
import type { EventsClient } from './runs/run-wakeups.ts';
import { OpenStreams } from './events/open-streams.ts';
import { fastifyAdapter } from './http/fastify.ts';

export interface ApiOptions {
  readonly config: ApiConfig;
  readonly tenancy: TenancyConfig;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Publishes wake-ups: Nest's Redis client, or its twin within the process. Closed by its owner. */
  readonly events: EventsClient;
  /** Hears which runs changed: `WatchedRedisServer`, or the twin within the process. Closed with the api. */
  readonly eventsServer: CustomTransportStrategy;
  /** What is looked at beside PostgreSQL. */
  readonly checks?: Readonly<Record<string, ReadinessCheck>>;
}

export interface RunningApi {
  /** `http://127.0.0.1:8080`, with the port that was really taken. */
  readonly url: string;
  readonly port: number;
  readonly checks: Readonly<Record<string, ReadinessCheck>>;
  /** `GET /api/v1/runs/:id`: what the server answers, as it was registered. */
  routes(): ReadonlySet<string>;
  /** Refuses new requests, ends event streams, finishes what is under way within SHUTDOWN_SECONDS. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * Starts the API in this process: checks the state graphs, writes the configured deployments and the admin key, listens. Throws
 * `graph.invalid`, `database.not_migrated`, `database.read_only`, `config.*`, `deployment.*`, `auth.admin_token_weak`, or the driver's error.
 */
export async function startApi(options: ApiOptions): Promise<RunningApi> {
  const { config, logger } = options;
  const watch = new SessionWatch({ url: config.DATABASE_URL, name: 'api', log: logger });
  const database = await openDatabase({
    url: config.DATABASE_URL,
    name: 'api',
    connectionsMax: config.DATABASE_POOL_MAX,
    acquireTimeoutMs: config.DATABASE_ACQUIRE_SECONDS * 1_000,
    onError: (error) => logger.warn({ err: error }, 'a database session broke'),
    watch,
  }).catch(async (error: unknown) => {
    await watch.close();
    throw error;
  });
  try {
    await prepare(database, options);
    return await serve(database, watch, options);
  } catch (error) {
    await database.destroy();
    await watch.close();
    throw error;
  }
}

async function prepare(database: Database, { config, tenancy, logger }: ApiOptions): Promise<void> {
  await validateGraphs(database, { info: (line) => logger.info(line) });
  for (const warning of tenancy.warnings) logger.warn(warning);
  await seedDeployments(database, tenancy);
  if (config.FLOWFORGE_ADMIN_TOKEN) await acceptAdminToken(new ApiKeyStore(database), config.FLOWFORGE_ADMIN_TOKEN, config.NODE_ENV);
}

async function serve(database: Database, watch: SessionWatch, options: ApiOptions): Promise<RunningApi> {
  const { config, tenancy, logger, metrics, events, eventsServer } = options;
  const hot = (name: string) => new HotConnection(config.DATABASE_URL, `api-${name}`, undefined, watch.openClient);
  const several = (count: number, name: string) => Array.from({ length: count }, (_, no) => hot(`${name}-${no}`));
  const lanes = several(config.SUBMIT_LANES, 'submit');
  const sessions = { lanes, keyed: hot('submit-keyed'), commands: several(config.COMMAND_LANES, 'command') };
  const concurrencyKeys = new ConcurrencyKeys();
  const checks = { postgres: () => Promise.resolve(watch.check()), ...options.checks };
  const module = ApiModule.register({ config, tenancy, database, ...sessions, concurrencyKeys, events, checks, logger, metrics });
  const { adapter, routes, inFlight } = fastifyAdapter(new ApiMetrics(metrics));
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    logger: new NestLogger(logger),
    abortOnError: false,
  });
  const closeSessions = async () => {
    await Promise.all([...lanes, sessions.keyed, ...sessions.commands].map((session) => session.close()));
    await concurrencyKeys.close();
    await database.destroy();
    await watch.close();
  };
  app.connectMicroservice<MicroserviceOptions>({ strategy: eventsServer });
  await app.startAllMicroservices();
  await app.listen(config.PORT, config.HOST);
  const { port } = new URL(await app.getUrl());
  let closing: Promise<void> | undefined;
  const close = async () => {
    app.get(OpenStreams).endAll();
    const closed = app.close();
    // Connections that have not asked for anything yet count as busy to Node: they would hold the shutdown up for the whole grace period.
    await Promise.race([closed, inFlight.none(), delay(config.SHUTDOWN_SECONDS * 1_000, undefined, { ref: false })]);
    app.getHttpServer().closeAllConnections();
    await closed;
    await closeSessions();
  };
  return { url: `http://127.0.0.1:${port}`, port: Number(port), checks, routes: () => routes, close: () => (closing ??= close()) };
}
