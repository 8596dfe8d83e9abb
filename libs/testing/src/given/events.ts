import type { Json, RunEvent, StepErrorView, StepView, Token } from '#core';

/** A step's row as a model keeps it. */
export interface ModelStep extends StepView {
  readonly causeId: string;
  /** It has a time of its start. */
  readonly started: boolean;
}

interface Known {
  readonly deploymentId: string;
  readonly rows: ReadonlyMap<number, ModelStep>;
  noOf(name: string): number;
}

interface Told {
  readonly token?: Token;
  readonly from?: string;
  readonly stepNo?: number;
}

interface Failed extends Told {
  readonly error?: Partial<StepErrorView>;
  readonly outcome?: 'failed' | 'timed_out';
  readonly dice?: number;
}

/** What may happen to a run of a model, by the names of its steps; each with a cause of its own and the token that the row has now. */
export class EventsOf {
  private causes = 0;

  constructor(private readonly run: Known) {}

  admitted(reused: readonly number[] = []): RunEvent {
    return { kind: 'admitted', reused, ...this.cause('admission') };
  }

  held(reason = 'limit.deployment'): RunEvent {
    return { kind: 'held', reason, ...this.cause('admission') };
  }

  started(name: string, told: Told = {}): RunEvent {
    return { kind: 'started', ...this.told(name, told) };
  }

  succeeded(name: string, { output = null, ...told }: Told & { output?: Json } = {}): RunEvent {
    return { kind: 'ended', outcome: 'succeeded', ...this.told(name, told), ranMs: 5, output, error: null, dice: 0.5 };
  }

  failed(name: string, { error, outcome = 'failed', dice = 0.5, ...told }: Failed = {}): RunEvent {
    const whole = { code: 'step.broken', message: 'It broke.', retryable: true, ...error };
    return { kind: 'ended', outcome, ...this.told(name, told), ranMs: 5, output: null, error: whole, dice };
  }

  handedBack(name: string, told: Told = {}): RunEvent {
    return { kind: 'ended', outcome: 'cancelled', ...this.told(name, told), ranMs: 5, output: null, error: null, dice: 0.5 };
  }

  lost(name: string, { was = 'begun', token }: { was?: 'begun' | 'held' | 'unseen'; token?: Token } = {}): RunEvent {
    return { kind: 'lost', stepNo: this.run.noOf(name), token: token ?? this.tokenOf(name), was, ...this.cause('sweep') };
  }

  overdue(name: string, token: Token = this.tokenOf(name)): RunEvent {
    return { kind: 'overdue', stepNo: this.run.noOf(name), token, ...this.cause('sweep') };
  }

  retryDue(name: string): RunEvent {
    return { kind: 'retry_due', stepNo: this.run.noOf(name), ...this.cause('timer') };
  }

  delayOver(name: string): RunEvent {
    return { kind: 'delay_over', stepNo: this.run.noOf(name), ...this.cause('timer') };
  }

  cancel(): RunEvent {
    return { kind: 'cancel', ...this.cause('cancel') };
  }

  deadline(): RunEvent {
    return { kind: 'deadline', ...this.cause('deadline') };
  }

  tokenOf(name: string): Token {
    const { epoch, dispatchNo } = this.run.rows.get(this.run.noOf(name)) ?? { epoch: 1, dispatchNo: 1 };
    return { epoch, dispatchNo };
  }

  private told(name: string, { token = this.tokenOf(name), from = this.run.deploymentId, stepNo = this.run.noOf(name) }: Told) {
    return { stepNo, token, from, ...this.cause('worker') };
  }

  private cause(actor: string): { causeId: string; actor: string } {
    this.causes += 1;
    return { causeId: `cause-${this.causes}`, actor };
  }
}
