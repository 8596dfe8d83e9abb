import { Worker } from 'node:worker_threads';
import { DomainError } from '#core';
import type { EvaluationResult, EvaluationTask } from './evaluate.ts';

export interface ThreadPoolOptions {
  readonly threads: number;
  /** Processor time of one task. */
  readonly deadlineMs: number;
  /** Wall time of one task, for a thread that gets no processor. */
  readonly wallMs: number;
  /** Tasks that may wait. */
  readonly queueMax: number;
  readonly heapMegabytesMax: number;
}

interface Job {
  readonly task: EvaluationTask;
  readonly resolve: (result: EvaluationResult) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Threads that evaluate one task each and are terminated when it takes too long. They start with the first task and are replaced
 * when they die. The queue is bounded: `run` rejects with the outage `expression.busy` when it is full.
 */
export class ThreadPool {
  private readonly queue: Job[] = [];
  private readonly threads: EvaluationThread[] = [];
  private closed = false;
  private readonly options: ThreadPoolOptions;

  constructor(options: ThreadPoolOptions) {
    this.options = options;
  }

  async run(task: EvaluationTask): Promise<EvaluationResult> {
    if (this.closed) throw new DomainError('expression.closed', 'The evaluator is closed.', {}, null, 'outage');
    if (this.queue.length >= this.options.queueMax) throw busy(this.options.queueMax);
    return new Promise((resolve, reject) => {
      this.queue.push({ task, resolve, reject });
      this.feed();
    });
  }

  /** Ends the threads; what waits or runs is rejected as an outage. */
  async close(): Promise<void> {
    this.closed = true;
    const waiting = this.queue.splice(0);
    for (const job of waiting) job.reject(new DomainError('expression.closed', 'The evaluator is closed.', {}, null, 'outage'));
    await Promise.all(this.threads.splice(0).map(async (thread) => thread.end()));
  }

  private feed(): void {
    const idle = this.threads.find((thread) => thread.isIdle);
    if (this.queue.length === 0 || this.closed) return;
    if (idle === undefined && this.threads.length < this.options.threads) {
      this.threads.push(new EvaluationThread(this.options, (thread) => this.settled(thread)));
      this.feed();
      return;
    }
    const job = idle === undefined ? undefined : this.queue.shift();
    if (job !== undefined) idle?.take(job);
  }

  private settled(thread: EvaluationThread): void {
    if (thread.isDead) this.threads.splice(this.threads.indexOf(thread), 1);
    this.feed();
  }
}

function busy(queueMax: number): DomainError {
  return new DomainError('expression.busy', `${queueMax} evaluations wait already.`, { queueMax }, 'Try again later.', 'outage');
}

/** One thread and the task it has at the moment. */
class EvaluationThread {
  isDead = false;
  private readonly worker: Worker;
  private job: Job | null = null;
  private ready = false;
  private timer: NodeJS.Timeout | null = null;
  private startedAt = 0;
  private readonly options: ThreadPoolOptions;
  private readonly settled: (thread: EvaluationThread) => void;

  constructor(options: ThreadPoolOptions, settled: (thread: EvaluationThread) => void) {
    this.options = options;
    this.settled = settled;
    const isSource = import.meta.url.endsWith('.ts');
    this.worker = new Worker(new URL(isSource ? './evaluation-thread.ts' : './evaluation-thread.js', import.meta.url), {
      // Expressions are other people's programs: they get no environment, and a heap of their own.
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: options.heapMegabytesMax, maxYoungGenerationSizeMb: 16 },
    });
    this.worker.unref();
    this.worker.on('message', (message: EvaluationResult | 'ready') => this.hear(message));
    this.worker.on('error', (error) => this.die(error));
    this.worker.on('exit', () => this.die(new Error('The evaluation thread ended.')));
  }

  get isIdle(): boolean {
    return this.job === null && !this.isDead;
  }

  take(job: Job): void {
    this.job = job;
    this.worker.ref();
    if (this.ready) this.start(job);
  }

  async end(): Promise<void> {
    this.finish((job) => job.reject(new DomainError('expression.closed', 'The evaluator is closed.', {}, null, 'outage')));
    this.isDead = true;
    await this.worker.terminate();
  }

  private start(job: Job): void {
    this.startedAt = performance.now();
    this.worker.postMessage(job.task);
    this.watch(this.options.deadlineMs);
  }

  private hear(message: EvaluationResult | 'ready'): void {
    if (message === 'ready') {
      this.ready = true;
      if (this.job !== null) this.start(this.job);
      return;
    }
    this.finish((job) => job.resolve(message));
    this.settled(this);
  }

  private watch(milliseconds: number): void {
    this.timer = setTimeout(() => void this.judge(), milliseconds);
  }

  /** At the deadline: a thread that had its processor time is ended, one that waited for a processor gets the rest of it. */
  private async judge(): Promise<void> {
    const { job, options } = this;
    const wallLeftMs = options.wallMs - (performance.now() - this.startedAt);
    const used = await this.processorMs();
    if (this.isDead || job === null || this.job !== job) return;
    const leftMs = Math.min(options.deadlineMs - used, wallLeftMs);
    if (leftMs > 1) this.watch(leftMs);
    else this.expire();
  }

  private async processorMs(): Promise<number> {
    return performance.now() - this.startedAt;
  }

  private expire(): void {
    this.isDead = true;
    this.finish((job) =>
      job.resolve({ kind: 'error', code: 'expression.timeout', message: `The expressions took more than ${this.options.deadlineMs} ms.` }),
    );
    void this.worker.terminate();
    this.settled(this);
  }

  private die(error: Error): void {
    if (this.isDead) return;
    this.isDead = true;
    const isMemory = 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
    const megabytes = this.options.heapMegabytesMax;
    this.finish((job) =>
      isMemory
        ? job.resolve({ kind: 'error', code: 'expression.memory', message: `The expressions need more than ${megabytes} MiB of memory.` })
        : job.reject(new DomainError('expression.thread_failed', `An evaluation thread died: ${error.message}`, {}, null, 'outage')),
    );
    this.settled(this);
  }

  private finish(settle: (job: Job) => void): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    const { job } = this;
    this.job = null;
    this.worker.unref();
    if (job !== null) settle(job);
  }
}
