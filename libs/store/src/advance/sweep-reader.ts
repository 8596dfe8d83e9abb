import type { HotConnection } from '../hot-connection.ts';
import { statement } from '../statement.ts';

const STEPS_UNHELD = statement('steps_unheld');
const STEPS_OVERDUE = statement('steps_overdue');
const TIMERS_DUE = statement('timers_due');
const TIMERS_NEXT = statement('timers_next');
const RUNS_TO_END = statement('runs_to_end');

/** A step with the token of its present dispatch. */
export interface DispatchedStep {
  readonly runId: string;
  readonly stepNo: number;
  readonly epoch: number;
  readonly dispatchNo: number;
}

export interface UnheldStep extends DispatchedStep {
  readonly deploymentId: string;
  readonly state: 'DISPATCHED' | 'RUNNING';
  /** A session that held it has let its lease run out. */
  readonly wasHeld: boolean;
  /** And may have begun it by then. */
  readonly wasBegun: boolean;
}

interface StepRow {
  run_id: string;
  step_no: number;
  epoch: number;
  dispatch_no: number;
}

interface UnheldRow extends StepRow {
  state: 'DISPATCHED' | 'RUNNING';
  deployment_id: string;
  was_held: boolean;
  was_begun: boolean;
}

/** Finds what has come to a stop: the rows are the outbox, whatever Redis or a worker lost is found again here. */
export class SweepReader {
  constructor(private readonly connection: HotConnection) {}

  /** Steps that no living session holds and that have not moved for `quietSeconds`; at most `atMost`, those first that moved longest ago. */
  async unheld(quietSeconds: number, atMost: number): Promise<UnheldStep[]> {
    const rows = await this.connection.query<UnheldRow>(STEPS_UNHELD, [quietSeconds, atMost]);
    return rows.map((row) => ({
      ...stepOf(row),
      state: row.state,
      deploymentId: row.deployment_id,
      wasHeld: row.was_held,
      wasBegun: row.was_begun,
    }));
  }

  /** Steps that run longer than their timeout and `graceSeconds`. */
  async overdue(graceSeconds: number, atMost: number): Promise<DispatchedStep[]> {
    const rows = await this.connection.query<StepRow>(STEPS_OVERDUE, [graceSeconds, atMost]);
    return rows.map(stepOf);
  }

  async dueTimers(atMost: number): Promise<{ runId: string; stepNo: number; kind: 'delay' | 'retry' }[]> {
    const rows = await this.connection.query<{ run_id: string; step_no: number; kind: 'delay' | 'retry' }>(TIMERS_DUE, [atMost]);
    return rows.map((row) => ({ runId: row.run_id, stepNo: row.step_no, kind: row.kind }));
  }

  /** Milliseconds until the next timer is due; null when none is set. */
  async nextTimerInMs(): Promise<number | null> {
    const [row] = await this.connection.query<{ in_ms: number }>(TIMERS_NEXT, []);
    return row?.in_ms ?? null;
  }

  /** Runs whose cancel was accepted, or whose deadline has passed. */
  async runsToEnd(atMost: number): Promise<{ runId: string; why: 'cancel' | 'deadline' }[]> {
    const rows = await this.connection.query<{ run_id: string; why: 'cancel' | 'deadline' }>(RUNS_TO_END, [atMost]);
    return rows.map((row) => ({ runId: row.run_id, why: row.why }));
  }
}

function stepOf(row: StepRow): DispatchedStep {
  return { runId: row.run_id, stepNo: row.step_no, epoch: row.epoch, dispatchNo: row.dispatch_no };
}
