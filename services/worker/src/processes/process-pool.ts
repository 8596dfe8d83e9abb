import type { HandlerFacts, ProcessSetup } from './process-messages.ts';
import { StepProcess } from './step-process.ts';

/**
 * Warm step processes with one setup. `exclusive`: one step at a time each, for handlers, whose crash or endless loop must hit only
 * themselves. Else one process takes all steps, for connectors, which only wait for the network. The caller bounds how many run at once.
 */
export class ProcessPool {
  private readonly processes = new Set<StepProcess>();
  private closed = false;

  constructor(
    private readonly setup: Omit<ProcessSetup, 'parent'>,
    private readonly exclusive: boolean,
  ) {}

  /** Processes that live, busy or not. */
  get size(): number {
    return [...this.processes].filter((process) => process.alive).length;
  }

  /** Starts one process and tells what it can run. */
  async warm(): Promise<readonly HandlerFacts[]> {
    return await this.take().ready;
  }

  /** A process for one more step; it may still be starting. The step must be given to it before the next `take`. */
  take(): StepProcess {
    for (const process of this.processes) if (!process.alive) this.processes.delete(process);
    for (const process of this.processes) if (!this.exclusive || process.load === 0) return process;
    const started = new StepProcess(this.setup);
    this.processes.add(started);
    if (this.closed) started.kill();
    return started;
  }

  /** Kills all of them. */
  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([...this.processes].map((process) => process.stop()));
  }
}
