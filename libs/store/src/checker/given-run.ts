import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { isTerminalStep, type Plan, type RunState, type StepState, type TerminalStepState } from '#core';

interface GivenStep {
  readonly state: StepState;
  readonly version: number;
  readonly dispatchNo: number;
  readonly attempt: number;
  readonly workerLosses: number;
}

type TokenChange = Partial<Pick<GivenStep, 'dispatchNo' | 'attempt' | 'workerLosses'>>;

/** The logins that a run is written with. */
export interface GivenLogins {
  readonly api: pg.Client;
  readonly scheduler: pg.Client;
}

const beginning: GivenStep = { state: 'PENDING', version: 0, dispatchNo: 0, attempt: 1, workerLosses: 0 };

/**
 * A run for tests, moved by legal moves as its services' roles and by nothing else: what the engine leaves in the database, written down a
 * second time and much more simply. Each method is one transaction.
 */
export class GivenRun {
  private readonly steps = new Map<number, GivenStep>();
  private version = 1;
  state: RunState = 'CREATED';

  constructor(
    readonly id: string,
    readonly plan: Plan,
    private readonly logins: GivenLogins,
  ) {}

  dispatchNoOf(no: number): number {
    return this.stepOf(no).dispatchNo;
  }

  /** A limit held it back: CREATED → QUEUED. */
  async hold(): Promise<this> {
    return await this.transact(() => this.moveRun(['QUEUED']));
  }

  async admit(): Promise<this> {
    return await this.transact(async () => {
      await this.moveRun(['RUNNING']);
      for (const { no, needs } of this.plan.steps.filter((step) => step.needs.length > 1)) {
        await this.run('insert into step_waits (run_id, step_no, unmet) values ($1, $2, $3)', [this.id, no, needs.length]);
      }
      for (const no of this.plan.roots) await this.begin(no);
      await this.settle();
    });
  }

  async start(no: number): Promise<this> {
    return await this.transact(() => this.moveStep(no, ['RUNNING']));
  }

  /** Ends a step, by way of RUNNING where its start was not told, and begins what becomes ready. */
  async end(no: number, state: TerminalStepState = 'SUCCEEDED'): Promise<this> {
    return await this.transact(async () => {
      await this.moveStep(no, this.stepOf(no).state === 'DISPATCHED' ? ['RUNNING', state] : [state]);
      if (this.stepOf(no).state === 'SUCCEEDED')
        await this.run('insert into step_outputs (run_id, step_no, output) values ($1, $2, $3)', [this.id, no, '{}']);
      await this.run(`delete from timers where run_id = $1 and step_no = $2`, [this.id, no]);
      await this.follow(no);
      await this.settle();
    });
  }

  /** The worker was lost: the same attempt under the next token. */
  async lose(no: number): Promise<this> {
    const { dispatchNo, workerLosses } = this.stepOf(no);
    return await this.transact(() => this.moveStep(no, ['DISPATCHED'], { dispatchNo: dispatchNo + 1, workerLosses: workerLosses + 1 }));
  }

  async fail(no: number): Promise<this> {
    return await this.transact(async () => {
      await this.moveStep(no, ['RETRYING']);
      await this.setTimer(no, 'retry');
    });
  }

  async retry(no: number): Promise<this> {
    const { dispatchNo, attempt } = this.stepOf(no);
    return await this.transact(async () => {
      await this.run(`delete from timers where run_id = $1 and step_no = $2`, [this.id, no]);
      await this.moveStep(no, ['DISPATCHED'], { dispatchNo: dispatchNo + 1, attempt: attempt + 1 });
    });
  }

  /** The api's part of a cancel. */
  async askToCancel(): Promise<this> {
    this.version += 1;
    this.state = 'CANCELLING';
    const { api } = this.logins;
    await api.query('begin');
    await api.query('select from live_runs where run_id = $1 for no key update', [this.id]);
    await api.query(`update live_runs set rev = rev + 1, phase = 'cancelling' where run_id = $1`, [this.id]);
    await api.query(
      `update workflow_runs set state = 'CANCELLING', via = null, version = $2, cause_id = $3, actor = 'tester', reason = 'asked', changed_at = now() where id = $1`,
      [this.id, this.version, randomUUID()],
    );
    await api.query('commit');
    return this;
  }

  /** The scheduler's part: every step that has not ended is cancelled, then the run. */
  async finishCancel(): Promise<this> {
    return await this.transact(async () => {
      for (const { no } of this.plan.steps) if (!isTerminalStep(this.stepOf(no).state)) await this.moveStep(no, ['CANCELLED']);
      await this.endRun('CANCELLED');
    });
  }

  private async transact(work: () => Promise<void>): Promise<this> {
    await this.run('begin', []);
    await this.run('select from live_runs where run_id = $1 for no key update', [this.id]);
    await work();
    await this.writeCounters();
    await this.run('commit', []);
    return this;
  }

  private async follow(ended: number): Promise<void> {
    for (const no of this.plan.steps[ended - 1]?.dependents ?? []) {
      await this.run('update step_waits set unmet = unmet - 1 where run_id = $1 and step_no = $2', [this.id, no]);
      const needs = (this.plan.steps[no - 1]?.needs ?? []).map((need) => this.stepOf(need).state);
      if (!needs.every(isTerminalStep)) continue;
      await this.run('delete from step_waits where run_id = $1 and step_no = $2', [this.id, no]);
      if (needs.every((state) => state === 'SUCCEEDED')) await this.begin(no);
      else {
        await this.moveStep(no, ['SKIPPED']);
        await this.follow(no);
      }
    }
  }

  private async begin(no: number): Promise<void> {
    if (this.plan.steps[no - 1]?.uses !== 'delay') return await this.moveStep(no, ['DISPATCHED'], { dispatchNo: 1 });
    await this.moveStep(no, ['WAITING']);
    await this.setTimer(no, 'delay');
  }

  private async setTimer(no: number, kind: 'delay' | 'retry'): Promise<void> {
    await this.run(`insert into timers (run_id, step_no, kind, due_at) values ($1, $2, $3, now() + interval '1 hour')`, [
      this.id,
      no,
      kind,
    ]);
  }

  /** The run waits when only timers can go on, and ends when all its steps have. */
  private async settle(): Promise<void> {
    const states = this.plan.steps.map(({ no }) => this.stepOf(no).state);
    if (states.every(isTerminalStep))
      await this.endRun(states.some((state) => state === 'FAILED' || state === 'TIMED_OUT') ? 'FAILED' : 'SUCCEEDED');
    else if (this.state === 'RUNNING' && countActive(states) === 0) await this.moveRun(['WAITING']);
  }

  private async endRun(state: RunState): Promise<void> {
    await this.moveRun([state]);
    for (const table of ['live_runs', 'timers', 'step_waits']) await this.run(`delete from ${table} where run_id = $1`, [this.id]);
  }

  private async writeCounters(): Promise<void> {
    const states = this.plan.steps.map(({ no }) => this.stepOf(no).state);
    const phase = this.state === 'CREATED' ? 'queued' : this.state.toLowerCase();
    if (['succeeded', 'failed', 'cancelled', 'timed_out'].includes(phase)) return;
    await this.run(
      `update live_runs set rev = rev + 1, phase = $2, remaining = $3, active = $4, waiting = $5, failed = $6, held = $7, began = began or $2 <> 'queued' where run_id = $1`,
      [
        this.id,
        phase,
        states.filter((state) => !isTerminalStep(state)).length,
        countActive(states),
        states.filter((state) => state === 'WAITING').length,
        states.some((state) => state === 'FAILED' || state === 'TIMED_OUT'),
        this.state === 'QUEUED',
      ],
    );
  }

  private async moveRun(hops: readonly RunState[]): Promise<void> {
    const state = hops.at(-1) ?? this.state;
    this.version += hops.length;
    this.state = state;
    await this.run(
      `update workflow_runs set state = $2::run_state, via = $3, version = $4, cause_id = $5, actor = 'scheduler', changed_at = now(),
         started_at = coalesce(started_at, case when $2::run_state = 'RUNNING' then now() end),
         ended_at = case when $2::run_state in ('SUCCEEDED', 'FAILED', 'CANCELLED', 'TIMED_OUT') then now() end where id = $1`,
      [this.id, state, hops.length > 1 ? hops[0] : null, this.version, randomUUID()],
    );
  }

  private async moveStep(no: number, hops: readonly StepState[], change: TokenChange = {}): Promise<void> {
    const before = this.stepOf(no);
    const state = hops.at(-1) ?? before.state;
    const after = { ...before, ...change, state, version: before.version + hops.length };
    this.steps.set(no, after);
    const token = [after.dispatchNo, after.attempt, after.workerLosses, randomUUID()];
    if (before.version === 0) {
      await this.run(
        `insert into step_runs (run_id, step_no, name, state, version, epoch, dispatch_no, attempt, worker_losses, cause_id, timeout_seconds, actor, ended_at)
         values ($1, $2, $3, $4, 1, 1, $5, $6, $7, $8, 300, 'scheduler', case when $9::boolean then now() end)`,
        [this.id, no, this.plan.steps[no - 1]?.name, state, ...token, isTerminalStep(state)],
      );
      return;
    }
    await this.run(
      `update step_runs set state = $3, via = $4, version = $5, dispatch_no = $6, attempt = $7, worker_losses = $8, cause_id = $9, actor = 'worker',
         changed_at = now(), started_at = now(), ended_at = case when $10::boolean then now() end where run_id = $1 and step_no = $2`,
      [this.id, no, state, hops.length > 1 ? hops[0] : null, after.version, ...token, isTerminalStep(state)],
    );
  }

  private stepOf(no: number): GivenStep {
    return this.steps.get(no) ?? beginning;
  }

  private async run(text: string, values: unknown[]): Promise<void> {
    await this.logins.scheduler.query(text, values);
  }
}

function countActive(states: readonly StepState[]): number {
  return states.filter((state) => state === 'DISPATCHED' || state === 'RUNNING' || state === 'RETRYING').length;
}
