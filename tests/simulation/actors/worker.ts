import 'reflect-metadata';
import { ControlMessage, channels, epochKey } from '#contracts';
import { WorkerService } from '../../../services/worker/src/worker.service.ts';
import type { WorkerConfig } from '../../../services/worker/src/config.ts';
import { defaultPrefetch } from '../../../services/worker/src/config.ts';
import type { ProcessKit } from './process-kit.ts';
import { SimulatedSteps } from './simulated-steps.ts';

/** A worker process: the worker's own service over simulated streams and step processes. */
export class SimulatedWorker {
  private readonly service: WorkerService;

  constructor(kit: ProcessKit, deployment: string, worker: string, concurrency: number) {
    const outside = kit.transport(null);
    const config: WorkerConfig = {
      ...{ deployment, worker, concurrency, prefetch: defaultPrefetch(concurrency), handlers: [], handlersFolder: '/' },
      ...{ heartbeatSeconds: kit.times.heartbeat, leaseSeconds: kit.times.lease, cancelGraceSeconds: 0.1, drainSeconds: 2 },
      privateAddresses: 'deny',
    };
    this.service = new WorkerService({
      config,
      openTransport: (epoch) => kit.transport(epoch),
      epochs: {
        current: async () => {
          const [text] = await outside.marks([epochKey]);
          const epoch = Number(text);
          return Number.isInteger(epoch) && epoch > 0 ? epoch : null;
        },
        close: () => Promise.resolve(),
      },
      metrics: kit.plain.metrics,
      logger: kit.plain.logger,
      sharedPools: new SimulatedSteps(kit.kernel, kit.ledger),
    });
    kit.hub.subscribe(channels.control(deployment), (body) => {
      const message = ControlMessage.safeParse(body);
      if (message.success) this.service.apply(message.data);
    });
  }

  start(): Promise<void> {
    return this.service.onApplicationBootstrap();
  }

  /** SIGTERM: drains. */
  stop(): Promise<void> {
    return this.service.beforeApplicationShutdown();
  }
}
