import { performance } from 'node:perf_hooks';
import { StepFailure, stepErrorOf, type StepContext, type StepHandler } from '#sdk';
import { boundedLine, LogAllowance } from '../logs/log-bounds.ts';
import type { FromProcess, HandlerEnd, StepAssignment } from '../processes/process-messages.ts';
import { boundedOutput } from '../steps/bounded-output.ts';
import { capturing } from './step-output.ts';

type Level = 'debug' | 'info' | 'warn' | 'error';

/** One execution of a handler. `run` never rejects: whatever the handler throws is its end. */
export class StepExecution {
  private readonly stop = new AbortController();
  private readonly allowance = new LogAllowance();

  constructor(
    private readonly id: number,
    private readonly assignment: StepAssignment,
    private readonly send: (message: FromProcess) => void,
  ) {}

  abort(reason: string): void {
    this.stop.abort(new StepFailure('step.aborted', reason));
  }

  async run(handler: StepHandler | undefined): Promise<void> {
    const started = performance.now();
    const end = await capturing({ print: (level, line) => this.log(level, line) }, () => this.endOf(handler));
    this.send({ kind: 'ended', id: this.id, ranMs: Math.round(performance.now() - started), end });
  }

  private async endOf(handler: StepHandler | undefined): Promise<HandlerEnd> {
    try {
      if (!handler) throw new StepFailure('step.kind_unknown', `This worker has no handler named ${this.assignment.uses}.`);
      const effect = handler.invoke(this.context(), this.assignment.input);
      // failpoint p16: the handler has begun, and its effect is under way
      return { outcome: 'succeeded', output: boundedOutput(await effect) };
    } catch (error) {
      return { outcome: 'failed', error: stepErrorOf(error) };
    }
  }

  private context(): StepContext {
    const { idempotencyKey, attempt, run, step } = this.assignment;
    const line = (level: Level) => (text: string, data?: unknown) => this.log(level, data === undefined ? text : `${text} ${asText(data)}`);
    return {
      log: { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') },
      heartbeat: (detail) => {
        this.send({ kind: 'beat', id: this.id });
        if (detail !== undefined) this.log('debug', detail);
      },
      idempotencyKey,
      signal: this.stop.signal,
      attempt,
      run,
      step,
    };
  }

  /** The bound holds here too, so that a handler which logs without end fills neither the channel nor the worker. */
  private log(level: Level, text: unknown): void {
    const line = boundedLine(String(text));
    if (this.allowance.take(line) !== 'dropped') this.send({ kind: 'log', id: this.id, at: Date.now(), level, text: line });
  }
}

function asText(data: unknown): string {
  try {
    return data instanceof Error ? (data.stack ?? data.message) : JSON.stringify(data);
  } catch {
    return '(cannot be written as JSON)';
  }
}
