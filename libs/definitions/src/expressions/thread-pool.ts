import { DomainError } from '#core';
import type { EvaluationResult, EvaluationTask } from './evaluate.ts';
import { closedError, EvaluationThread, type Job, type ThreadLimits } from './evaluation-worker.ts';

export interface ThreadPoolOptions extends ThreadLimits {
  readonly threads: number;
  /** Tasks that may wait. */
  readonly queueMax: number;
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
    if (this.closed) throw closedError();
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
    for (const job of waiting) job.reject(closedError());
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
