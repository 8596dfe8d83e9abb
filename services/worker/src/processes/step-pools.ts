import type { WorkerConfig } from '../config.ts';
import type { HandlerFacts } from './process-messages.ts';
import { ProcessPool } from './process-pool.ts';
import type { StepRunner } from './step-process.ts';

/** Where a worker's steps run: forked processes, or in a simulation what stands in for them. */
export interface StepRunners {
  readonly own: { take(): StepRunner };
  readonly connectors: { take(): StepRunner };
  /** What the handler modules define. */
  handlers(): Promise<readonly HandlerFacts[]>;
  /** Ends all of them. Safe to call twice. */
  close(): Promise<void>;
}

/** The step processes of a worker, or of all workers that share one process: those of handlers, and the one of the connectors. */
export class StepPools implements StepRunners {
  readonly own: ProcessPool;
  readonly connectors: ProcessPool;
  private learning: Promise<readonly HandlerFacts[]> | undefined;

  constructor(private readonly config: Pick<WorkerConfig, 'handlers' | 'handlersFolder' | 'privateAddresses'>) {
    const { handlers, handlersFolder: folder, privateAddresses } = config;
    this.own = new ProcessPool({ modules: [...handlers], folder, connectors: null }, true);
    this.connectors = new ProcessPool({ modules: [], folder, connectors: { privateAddresses } }, false);
  }

  /**
   * What the handler modules define; a first process, which then is warm, tells it once. Rejects with `worker.handlers_unloadable` when a
   * module does not load.
   */
  handlers(): Promise<readonly HandlerFacts[]> {
    this.learning ??= this.config.handlers.length > 0 ? this.own.warm() : Promise.resolve([]);
    return this.learning;
  }

  /** Kills all of them. Safe to call twice. */
  async close(): Promise<void> {
    await Promise.all([this.own.close(), this.connectors.close()]);
  }
}
