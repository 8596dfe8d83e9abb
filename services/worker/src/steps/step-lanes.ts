import { stepErrorOf, type StepContext } from '#sdk';
import type { TaskMessage } from '#contracts';
import type { StepAssignment } from '../processes/process-messages.ts';
import type { StepRunners } from '../processes/step-pools.ts';
import type { StepLine } from '../processes/step-process.ts';
import { SupervisedStep, type SupervisedEnd } from '../processes/supervised-step.ts';
import { boundedOutput } from './bounded-output.ts';
import type { HeldStep } from './held-step.ts';
import type { Kind } from './kinds.ts';

export interface StepLanesSettings {
  /** Steps that run at once in processes. Those that only hand their input on need no place. */
  readonly concurrency: number;
  readonly cancelGraceSeconds: number;
}

/** Hears of the steps in the lanes. `ended` comes exactly once for each step that was added and not taken out by `unstarted`. */
export interface StepLanesEvents {
  line(step: HeldStep, line: StepLine): void;
  /** The step was lost before. It begins when this has resolved: then the scheduler hears that it had begun, whatever it does to its worker. */
  announces(step: HeldStep): Promise<void>;
  /** The step is still running a little after it began. */
  stillRunning(step: HeldStep): void;
  ended(step: HeldStep, end: SupervisedEnd): void;
}

/** Runs held steps: at once where that costs nothing, else in the order they came, as places become free. */
export class StepLanes {
  private readonly waiting: HeldStep[] = [];
  private readonly running = new Map<HeldStep, Pick<SupervisedStep, 'stop' | 'kill'>>();
  private emptied: (() => void) | undefined;

  constructor(
    private readonly settings: StepLanesSettings,
    private readonly kinds: ReadonlyMap<string, Kind>,
    private readonly pools: StepRunners,
    private readonly events: StepLanesEvents,
  ) {}

  get runningCount(): number {
    return this.running.size;
  }

  get waitingCount(): number {
    return this.waiting.length;
  }

  add(step: HeldStep): void {
    const kind = this.kinds.get(step.task.uses);
    if (!kind) return this.fail(step, 'step.kind_unknown', `No handler of this worker is named ${step.task.uses}.`);
    if (kind.place === 'here') return void this.passOn(step, kind);
    this.waiting.push(step);
    this.fill();
  }

  /** Ends a step without a report: a waiting one at once, a running one by its abort signal and then by force. Safe to call twice. */
  drop(step: HeldStep, why: 'lost' | 'returned'): void {
    step.dropped ??= why;
    const at = this.waiting.indexOf(step);
    if (at >= 0) {
      this.waiting.splice(at, 1);
      this.close(step, notBegun);
    } else if (why === 'returned') this.running.get(step)?.kill();
    else this.running.get(step)?.stop('dropped');
  }

  /** Takes out the steps that have not begun. */
  unstarted(): HeldStep[] {
    return this.waiting.splice(0);
  }

  /** All that are running now. */
  started(): HeldStep[] {
    return [...this.running.keys()];
  }

  /** Resolves when nothing runs, or after `withinMs`. */
  async empty(withinMs: number): Promise<void> {
    if (this.running.size === 0 || withinMs <= 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, withinMs);
      this.emptied = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private fill(): void {
    while (this.running.size < this.settings.concurrency) {
      const step = this.waiting.shift();
      if (!step) return;
      void this.runInProcess(step);
    }
  }

  private async runInProcess(step: HeldStep): Promise<void> {
    const mayBegin = !wasLost(step.task) || (await this.announce(step));
    const end = mayBegin ? await this.supervise(step, !wasLost(step.task)) : notBegun;
    this.running.delete(step);
    this.close(step, end);
    this.fill();
    if (this.running.size === 0) this.emptied?.();
  }

  /** Returns whether the step may begin: it may be dropped while it waits for that. */
  private async announce(step: HeldStep): Promise<boolean> {
    const dropped = Promise.withResolvers<void>();
    this.running.set(step, { stop: () => dropped.resolve(), kill: () => dropped.resolve() });
    await Promise.race([this.events.announces(step), dropped.promise]);
    return !step.dropped;
  }

  private supervise(step: HeldStep, tellsStart: boolean): Promise<SupervisedEnd> {
    const { task } = step;
    const kind = this.kinds.get(task.uses);
    const pool = kind?.place === 'connectors' ? this.pools.connectors : this.pools.own;
    const limits = {
      timeoutSeconds: task.timeoutSeconds,
      heartbeatTimeoutSeconds: kind?.place === 'own' ? kind.heartbeatTimeoutSeconds : null,
      cancelGraceSeconds: this.settings.cancelGraceSeconds,
    };
    const supervised = new SupervisedStep(pool.take(), assignmentOf(task), limits, {
      line: (line) => this.events.line(step, line),
      stillRunning: () => (tellsStart ? this.events.stillRunning(step) : undefined),
    });
    step.phase = 'running';
    this.running.set(step, supervised);
    return supervised.ended;
  }

  private async passOn(step: HeldStep, { handler }: Kind & { place: 'here' }): Promise<void> {
    try {
      const output = boundedOutput(await handler.invoke(contextOf(step.task), step.task.input));
      this.close(step, { end: { outcome: 'succeeded', output }, ranMs: 0 });
    } catch (error) {
      this.close(step, { end: { outcome: 'failed', error: stepErrorOf(error) }, ranMs: 0 });
    }
  }

  private fail(step: HeldStep, code: string, message: string): void {
    this.close(step, { end: { outcome: 'failed', error: { code, message, retryable: true } }, ranMs: 0 });
  }

  private close(step: HeldStep, end: SupervisedEnd): void {
    step.phase = 'ended';
    this.events.ended(step, step.dropped ? { end: { outcome: 'dropped' }, ranMs: end.ranMs } : end);
  }
}

const notBegun: SupervisedEnd = { end: { outcome: 'dropped' }, ranMs: 0 };

/** It was sent more often than it was tried: it, or the worker that had it, was lost. */
function wasLost({ dispatchNo, attempt }: TaskMessage): boolean {
  return dispatchNo > attempt;
}

function assignmentOf(task: TaskMessage): StepAssignment {
  const { uses, input, step, attempt, idempotencyKey, runId, workflow, workflowVersion, environment, team } = task;
  return { uses, input, step, attempt, idempotencyKey, run: { id: runId, workflow, version: workflowVersion, environment, team } };
}

const silent = () => undefined;
const neverAborted = new AbortController().signal;

/** For kinds that only hand their input on: they neither log nor wait. */
function contextOf(task: TaskMessage): StepContext {
  const { idempotencyKey, attempt, run, step } = assignmentOf(task);
  return {
    log: { debug: silent, info: silent, warn: silent, error: silent },
    heartbeat: silent,
    signal: neverAborted,
    idempotencyKey,
    attempt,
    run,
    step,
  };
}
