import 'reflect-metadata';
import { chmod, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DomainError } from '#core';
import { readTenancyConfig } from '#store';
import { createMetrics, parseConfig, type Logger } from '#telemetry';
import { InProcessHub, InProcessPubSubClient, InProcessPubSubServer, InProcessStreamTransport, StreamBroker } from '#transport';
import { ensureAdminToken } from '../../api/src/auth/admin-token.ts';
import { ApiConfig } from '../../api/src/config.ts';
import { errorCode } from '../../api/src/errors/error-code.ts';
import { startApi } from '../../api/src/start-api.ts';
import { SchedulerSettings } from '../../scheduler/src/config.ts';
import { examineDatabase, startScheduler } from '../../scheduler/src/start-scheduler.ts';
import type { StepPools } from '../../worker/src/processes/step-pools.ts';
import type { Begun } from './begin-early.ts';
import type { LocalConfig } from './config.ts';
import { prepareDatabase, type LocalDatabase } from './local-database.ts';
import { startLocalWorker } from './local-worker.ts';

export interface RunningLocal {
  readonly url: string;
  /** File that holds the admin token, readable by its owner only. */
  readonly tokenFile: string;
  /** Resolves when PostgreSQL is gone, wanted or not. */
  readonly databaseEnded: Promise<void>;
  /** Workers first, the database last. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * FlowForge in one process: api, scheduler and a worker for each deployment, the same code as in a cluster, over an embedded PostgreSQL and
 * streams within the process. Everything lies in the data folder. Throws `data.locked` when another process has it, `port.taken`.
 */
export async function startLocal(config: LocalConfig, { server, pools }: Begun, logger: Logger): Promise<RunningLocal> {
  const dataDir = resolve(config.DATA_DIR);
  const closers: (() => Promise<void>)[] = [() => pools.close()];
  const close = async () => {
    for (const one of closers.splice(0).reverse()) await one();
  };
  try {
    const postgres = await server;
    closers.push(() => postgres.stop());
    const database = await prepareDatabase(postgres, (line) => logger.info(line));
    const { url, tokenFile } = await startServices({ config, dataDir, database, pools, logger, closers });
    let closing: Promise<void> | undefined;
    return { url, tokenFile, databaseEnded: postgres.ended, close: () => (closing ??= close()) };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Surroundings {
  readonly config: LocalConfig;
  readonly dataDir: string;
  readonly database: LocalDatabase;
  readonly pools: StepPools;
  readonly logger: Logger;
  /** What is started is put here, in the order of the starts. */
  readonly closers: (() => Promise<void>)[];
}

async function startServices({
  config,
  dataDir,
  database,
  pools,
  logger,
  closers,
}: Surroundings): Promise<{ url: string; tokenFile: string }> {
  const hub = new InProcessHub();
  const broker = new StreamBroker();
  const metrics = createMetrics('local');
  const tokenFile = join(dataDir, 'admin-token');
  const token = await ensureAdminToken(tokenFile);
  const epoch = await examineDatabase(database.schedulerUrl, (line) => logger.info(line));

  const tenancy = readTenancyConfig(process.env);
  const api = await startApi({
    config: parseConfig(ApiConfig, {
      ...process.env,
      DATABASE_URL: database.apiUrl,
      REDIS_URL: undefined,
      PORT: String(config.PORT),
      HOST: '127.0.0.1',
      FLOWFORGE_ADMIN_TOKEN: token,
    }),
    tenancy,
    logger,
    metrics,
    events: new InProcessPubSubClient(hub),
    eventsServer: new InProcessPubSubServer(hub),
  }).catch((error: unknown) => {
    throw errorCode(error) === 'EADDRINUSE' ? portTaken(config.PORT) : error;
  });
  closers.push(() => api.close());

  const transport = new InProcessStreamTransport(broker);
  const scheduler = await startScheduler({
    config: parseConfig(SchedulerSettings, {
      ...process.env,
      ...timesOf(config),
      DATABASE_URL: database.schedulerUrl,
      REDIS_URL: 'redis://unused',
    }),
    databaseUrl: database.schedulerUrl,
    epoch,
    transport,
    events: new InProcessPubSubClient(hub),
    eventsServer: new InProcessPubSubServer(hub),
    logger,
    metrics,
    onEpochChanged: () => logger.error({}, 'The database has another epoch: start again.'),
    onRound: () => Promise.resolve(),
  });
  closers.push(() => scheduler.close());

  const names = tenancy.deployments.map((deployment) => deployment.name);
  const workers = await Promise.all(
    names.map((deployment) => startLocalWorker({ config, deployment, epoch, hub, broker, pools, logger, metrics })),
  );
  closers.push(async () => {
    await Promise.all(workers.map((worker) => worker.close()));
  });

  await writeConnection(dataDir, { url: api.url, databaseUrl: database.ownerUrl, pid: process.pid });
  closers.push(() => rm(join(dataDir, 'connection.json'), { force: true }));
  return { url: api.url, tokenFile };
}

function portTaken(port: number): DomainError {
  return new DomainError(
    'port.taken',
    `Port ${port} of 127.0.0.1 is in use by another program.`,
    { port },
    'End that program, or set PORT; PORT=0 takes a free one.',
  );
}

function timesOf(config: LocalConfig): Record<string, string> {
  const { LEASE_SECONDS, HEARTBEAT_SECONDS, SWEEP_SECONDS, WORKFLOW_MAX_CONCURRENT_EXECUTIONS } = config;
  return Object.fromEntries(
    Object.entries({ LEASE_SECONDS, HEARTBEAT_SECONDS, SWEEP_SECONDS, WORKFLOW_MAX_CONCURRENT_EXECUTIONS }).map(([name, value]) => [
      name,
      String(value),
    ]),
  );
}

/** Tells the command line where this instance is: `flowforge doctor` reads the database by it. Readable by its owner only. */
async function writeConnection(dataDir: string, connection: { url: string; databaseUrl: string; pid: number }): Promise<void> {
  const file = join(dataDir, 'connection.json');
  await writeFile(file, `${JSON.stringify(connection, null, 2)}\n`, { mode: 0o600 });
  await chmod(file, 0o600);
}
