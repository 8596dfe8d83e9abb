import { Worker } from 'node:worker_threads';
import { DomainError } from '#core';
import { errorResult, type EvaluationResult, type EvaluationTask } from './evaluate.ts';

export interface ThreadLimits {
  /** Processor time of one task. */
  readonly deadlineMs: number;
  /** Wall time of one task, for a thread that gets no processor. */
  readonly wallMs: number;
  readonly heapMegabytesMax: number;
}

/** A task and who waits for it. */
export interface Job {
  readonly task: EvaluationTask;
  readonly resolve: (result: EvaluationResult) => void;
  readonly reject: (error: Error) => void;
}

/** One thread and the task it has at the moment. It dies with a task that takes too long; `settled` is called after each task. */
export class EvaluationThread {
  isDead = false;
  private readonly worker: Worker;
  private job: Job | null = null;
  private isReady = false;
  private timers: NodeJS.Timeout[] = [];
  private readonly limits: ThreadLimits;
  private readonly settled: (thread: EvaluationThread) => void;

  constructor(limits: ThreadLimits, settled: (thread: EvaluationThread) => void) {
    this.limits = limits;
    this.settled = settled;
    const isSource = import.meta.url.endsWith('.ts');
    this.worker = new Worker(new URL(isSource ? './evaluation-thread.ts' : './evaluation-thread.js', import.meta.url), {
      // Expressions are other people's programs: they get no environment, and a heap of their own.
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: limits.heapMegabytesMax, maxYoungGenerationSizeMb: 16 },
    });
    this.worker.unref();
    this.worker.on('message', (message: EvaluationResult | 'ready') => this.hear(message));
    this.worker.on('error', (error) => this.die(error));
    this.worker.on('exit', () => this.die(new Error('The thread ended.')));
  }

  get isIdle(): boolean {
    return this.job === null && !this.isDead;
  }

  take(job: Job): void {
    this.job = job;
    this.worker.ref();
    if (this.isReady) void this.start(job);
  }

  /** Terminates the thread; its task is rejected as an outage. */
  async end(): Promise<void> {
    this.isDead = true;
    this.finish((job) => job.reject(closedError()));
    await this.worker.terminate();
  }

  private hear(message: EvaluationResult | 'ready'): void {
    if (message === 'ready') {
      this.isReady = true;
      if (this.job !== null) void this.start(this.job);
      return;
    }
    this.finish((job) => job.resolve(message));
    this.settled(this);
  }

  private async start(job: Job): Promise<void> {
    const { deadlineMs, wallMs } = this.limits;
    const begin = performance.now();
    try {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
      this.worker.postMessage(job.task);
    } catch (error) {
      // Data that are nested too deeply cannot be copied to a thread; the thread is as good as before.
      this.hear(errorResult(error));
      return;
    }
    this.timers = [setTimeout(() => this.expire(), wallMs)];
    const usedBefore = await this.processorMs(begin);
    this.watch(job, deadlineMs, async () => (await this.processorMs(begin)) - usedBefore);
  }

  /** Looks again when the time could be used up: a thread that waited for a processor gets the rest of its time. */
  private watch(job: Job, milliseconds: number, used: () => Promise<number>): void {
    if (this.job !== job) return;
    const judge = async (): Promise<void> => {
      const leftMs = this.limits.deadlineMs - (await used());
      if (this.job !== job) return;
      if (leftMs < 1) this.expire();
      else this.watch(job, leftMs, used);
    };
    this.timers.push(setTimeout(() => void judge(), milliseconds));
  }

  /** Processor time of the thread, or, where Node cannot tell it (before 24.6), wall time. */
  private async processorMs(begin: number): Promise<number> {
    try {
      const { user, system } = await this.worker.cpuUsage();
      return (user + system) / 1_000;
    } catch {
      return performance.now() - begin;
    }
  }

  private expire(): void {
    if (this.isDead) return;
    this.isDead = true;
    const message = `The expressions took more than ${this.limits.deadlineMs} ms.`;
    this.finish((job) => job.resolve({ kind: 'error', code: 'expression.timeout', message }));
    void this.worker.terminate();
    this.settled(this);
  }

  private die(error: Error): void {
    if (this.isDead) return;
    this.isDead = true;
    const isMemory = 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
    const message = `The expressions need more than ${this.limits.heapMegabytesMax} MiB of memory.`;
    this.finish((job) => {
      if (isMemory) job.resolve({ kind: 'error', code: 'expression.memory', message });
      else job.reject(new DomainError('expression.thread_failed', `An evaluation thread died: ${error.message}`, {}, null, 'outage'));
    });
    this.settled(this);
  }

  private finish(settle: (job: Job) => void): void {
    for (const timer of this.timers.splice(0)) clearTimeout(timer);
    const { job } = this;
    this.job = null;
    this.worker.unref();
    if (job !== null) settle(job);
  }
}

/** What waits or runs when the evaluator is closed ends with this. */
export function closedError(): DomainError {
  return new DomainError('expression.closed', 'The evaluator is closed.', {}, null, 'outage');
}
