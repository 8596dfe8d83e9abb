import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { hostname } from 'node:os';
import { NestLogger, type Logger, type Metrics, type ReadinessCheck } from '#telemetry';
import { InProcessPubSubServer, InProcessStreamTransport, type InProcessHub, type StreamBroker } from '#transport';
import { defaultPrefetch, type WorkerConfig } from '../../worker/src/config.ts';
import type { StepPools } from '../../worker/src/processes/step-pools.ts';
import { WorkerModule } from '../../worker/src/worker.module.ts';
import { WorkerService } from '../../worker/src/worker.service.ts';
import type { LocalConfig } from './config.ts';
import { stepProcessesOf } from './step-processes.ts';

export interface LocalWorkerOptions {
  readonly config: LocalConfig;
  readonly deployment: string;
  readonly epoch: number;
  readonly hub: InProcessHub;
  readonly broker: StreamBroker;
  /** Shared by all workers. */
  readonly pools: StepPools;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface LocalWorker {
  readonly checks: Readonly<Record<string, ReadinessCheck>>;
  close(): Promise<void>;
}

/** Starts the worker of one deployment in this process. Its steps run in forked children. */
export async function startLocalWorker({
  config,
  deployment,
  epoch,
  hub,
  broker,
  pools,
  logger,
  metrics,
}: LocalWorkerOptions): Promise<LocalWorker> {
  const settings: WorkerConfig = {
    deployment,
    worker: hostname(),
    concurrency: config.WORKER_CONCURRENCY,
    prefetch: defaultPrefetch(config.WORKER_CONCURRENCY),
    ...stepProcessesOf(config),
    heartbeatSeconds: config.HEARTBEAT_SECONDS,
    leaseSeconds: config.LEASE_SECONDS,
    cancelGraceSeconds: 5,
    drainSeconds: 5,
  };
  const module = WorkerModule.register({
    config: settings,
    openTransport: () => new InProcessStreamTransport(broker),
    epochs: { current: () => Promise.resolve(epoch), close: () => Promise.resolve() },
    metrics,
    logger,
    sharedPools: pools,
  });
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(module, {
    strategy: new InProcessPubSubServer(hub),
    logger: new NestLogger(logger),
    abortOnError: false,
  });
  await app.listen();
  const worker = app.get(WorkerService);
  return {
    checks: worker.checks,
    close: async () => {
      await worker.beforeApplicationShutdown();
      await app.close();
    },
  };
}
