import { performance } from 'node:perf_hooks';
import { assertNever, DomainError } from '#core';
import type { StepEnd, StopReason } from '../steps/step-end.ts';
import { deathOf, type ProcessExit } from './process-exit.ts';
import type { HandlerEnd, StepAssignment } from './process-messages.ts';
import type { StepLine, StepRunner } from './step-process.ts';

export interface StepLimits {
  readonly timeoutSeconds: number;
  /** Longest silence between heartbeats of the handler; null: it need not beat. */
  readonly heartbeatTimeoutSeconds: number | null;
  /** From the abort signal to SIGKILL. */
  readonly cancelGraceSeconds: number;
}

export interface SupervisedStepEvents {
  line(line: StepLine): void;
  /** Once, a little after the handler began, unless it has ended by then. */
  stillRunning(): void;
}

export interface SupervisedEnd {
  readonly end: StepEnd;
  readonly ranMs: number;
}

/**
 * One step in a step process, watched from outside: its time, its heartbeats, its life. Told to stop, it gets the abort signal, and
 * after the grace its process is killed. `ended` resolves once, when the handler is truly over, so that a retry never overlaps it.
 */
export class SupervisedStep {
  readonly ended: Promise<SupervisedEnd>;
  private readonly id: number;
  private readonly started = performance.now();
  private settle: (end: SupervisedEnd) => void = () => undefined;
  private deadline: NodeJS.Timeout | undefined;
  private silence: NodeJS.Timeout | undefined;
  private grace: NodeJS.Timeout | undefined;
  private notice: NodeJS.Timeout | undefined;
  private stopped: StopReason | undefined;
  private closed = false;

  constructor(
    private readonly process: StepRunner,
    assignment: StepAssignment,
    private readonly limits: StepLimits,
    private readonly events: SupervisedStepEvents,
  ) {
    this.ended = new Promise((resolve) => (this.settle = resolve));
    this.id = process.run(assignment, {
      line: (line) => events.line(line),
      beat: () => this.silence?.refresh(),
      ended: (end, ranMs) => this.close(this.stopped ? this.endOfStop(this.stopped) : end, ranMs),
      died: (exit) => this.close(this.endOfDeath(exit)),
    });
    process.ready.then(
      () => this.startClocks(),
      (error: unknown) => this.close(unstartable(error)),
    );
  }

  /** The first reason counts. Safe to call twice. */
  stop(reason: StopReason): void {
    if (this.stopped) return;
    this.stopped = reason;
    this.process.abort(this.id, stopTexts[reason]);
    this.grace = setTimeout(() => this.process.kill(), this.limits.cancelGraceSeconds * 1000);
  }

  /** Without grace. */
  kill(): void {
    this.stop('dropped');
    this.process.kill();
  }

  private startClocks(): void {
    if (this.closed) return;
    const { timeoutSeconds, heartbeatTimeoutSeconds } = this.limits;
    this.notice = setTimeout(() => this.events.stillRunning(), noticeAfterMs);
    this.deadline = setTimeout(() => this.stop('timed_out'), Math.min(timeoutSeconds * 1000, timerMsMax));
    if (heartbeatTimeoutSeconds !== null) this.silence = setTimeout(() => this.stop('silent'), heartbeatTimeoutSeconds * 1000);
  }

  private close(end: StepEnd | HandlerEnd, ranMs = Math.round(performance.now() - this.started)): void {
    this.closed = true;
    for (const timer of [this.notice, this.deadline, this.silence, this.grace]) clearTimeout(timer);
    this.settle({ end, ranMs });
  }

  private endOfDeath(exit: ProcessExit): StepEnd {
    return this.stopped ? this.endOfStop(this.stopped) : { outcome: 'failed', error: deathOf(exit) };
  }

  private endOfStop(reason: StopReason): StepEnd {
    const { timeoutSeconds, heartbeatTimeoutSeconds } = this.limits;
    switch (reason) {
      case 'dropped':
        return { outcome: 'dropped' };
      case 'timed_out':
        return {
          outcome: 'timed_out',
          error: { code: 'step.timed_out', message: `The step did not end within ${timeoutSeconds} s.`, retryable: true },
        };
      case 'silent': {
        const message = `The handler gave no heartbeat for ${heartbeatTimeoutSeconds} s and was terminated.`;
        return { outcome: 'failed', error: { code: 'step.heartbeat_timeout', message, retryable: true } };
      }
      default:
        return assertNever(reason);
    }
  }
}

/** A step that is shorter than this is reported by its end alone. */
const noticeAfterMs = 50;

/** Node takes a longer timer for one of 1 ms. */
const timerMsMax = 2_147_483_647;

const stopTexts: Readonly<Record<StopReason, string>> = {
  timed_out: 'The time of the step is over.',
  silent: 'The handler gave no heartbeat.',
  dropped: 'The step was cancelled, or is no longer run here.',
};

function unstartable(error: unknown): StepEnd {
  const message = error instanceof DomainError ? error.message : 'The step process did not start.';
  return { outcome: 'failed', error: { code: 'step.worker_process_died', message, retryable: true } };
}
