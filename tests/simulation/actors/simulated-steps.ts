import type { HandlerFacts, StepAssignment } from '../../../services/worker/src/processes/process-messages.ts';
import type { StepRunners } from '../../../services/worker/src/processes/step-pools.ts';
import type { StepListener, StepRunner } from '../../../services/worker/src/processes/step-process.ts';
import type { Payload } from '../../../services/worker/src/steps/step-end.ts';
import type { Ledger } from '../checker/ledger.ts';
import type { Kernel } from '../virtual/kernel.ts';
import type { SimulatedProcess } from '../virtual/simulated-process.ts';

/** What a step of a simulated workflow does: its input says it. */
export interface StepScript {
  /** Milliseconds until it ends. */
  readonly ms: number;
  /** Attempts that fail before one succeeds. */
  readonly fails: number;
  readonly retryable: boolean;
  /** It never ends by itself. */
  readonly hangs: boolean;
  /** Its process dies under it, this many attempts. */
  readonly dies: number;
  /** It ends its worker with it, every time. */
  readonly kills: boolean;
  /** It does not listen to the abort signal. */
  readonly deaf: boolean;
  /** An expression's value, handed on. */
  readonly saw?: Payload;
}

export const SCRIPTED = 'sim/scripted';

/** In place of forked processes: each step has its effect on the outside world and ends, in virtual time. */
export class SimulatedSteps implements StepRunners {
  readonly own = { take: () => new ScriptedProcess(this.kernel, this.ledger) };
  readonly connectors = this.own;

  constructor(
    private readonly kernel: Kernel,
    private readonly ledger: Ledger,
  ) {}

  handlers(): Promise<readonly HandlerFacts[]> {
    return Promise.resolve([{ name: SCRIPTED, heartbeatTimeoutSeconds: null }]);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

class ScriptedProcess implements StepRunner {
  readonly ready = Promise.resolve([]);
  private readonly worker: SimulatedProcess;
  private listener: StepListener | null = null;
  private isOver = false;
  private script: StepScript | null = null;

  constructor(
    private readonly kernel: Kernel,
    private readonly ledger: Ledger,
  ) {
    this.worker = kernel.process;
  }

  run(assignment: StepAssignment, listener: StepListener): number {
    this.listener = listener;
    const script = assignment.input as unknown as StepScript;
    this.script = script;
    const { idempotencyKey, attempt } = assignment;
    this.ledger.begin(idempotencyKey);
    const dies = attempt <= script.dies;
    const fails = attempt <= script.fails;
    const endsInMs = script.ms * this.kernel.random.between(0.5, 1.5);
    // The step's process is not the worker: a pause of the worker does not stop its effect, and it outlives its worker for a moment.
    this.kernel.plan(this.kernel.outside, endsInMs * 0.9, `effect of ${idempotencyKey.slice(-6)}`, () => {
      const orphaned = !this.worker.alive && this.kernel.random.chance(0.5);
      if (!this.isOver && !orphaned && !fails && !dies && !script.kills) this.ledger.book(idempotencyKey);
    });
    if (script.hangs) return 1;
    this.kernel.plan(this.worker, endsInMs, `step ${idempotencyKey.slice(-6)} ends`, () => {
      if (script.kills && this.ledger.mayKill()) return this.worker.crash();
      if (script.kills && !fails && !dies) this.ledger.book(idempotencyKey);
      if (dies) return this.die();
      const error = { code: 'step.broken', message: 'The script says so.', retryable: script.retryable };
      const output = { n: attempt, saw: script.saw ?? null };
      this.end(fails ? { outcome: 'failed', error } : { outcome: 'succeeded', output }, endsInMs);
    });
    return 1;
  }

  abort(): void {
    if (this.script?.deaf) return;
    const error = { code: 'step.aborted', message: 'It was told to stop.', retryable: true };
    this.kernel.plan(this.worker, 1, 'step heeds its abort', () => this.end({ outcome: 'failed', error }, 1));
  }

  kill(): void {
    this.kernel.plan(this.worker, 1, 'step process is killed', () => this.die());
  }

  private end(end: Parameters<StepListener['ended']>[0], ranMs: number): void {
    if (this.isOver) return;
    this.isOver = true;
    this.listener?.ended(end, Math.round(ranMs));
  }

  private die(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.listener?.died({ code: null, signal: 'SIGKILL', lastWords: '' });
  }
}
