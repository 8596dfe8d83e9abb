import { type Plan, type RunDecision, type RunState, type StepState, isTerminalRun, isTerminalStep } from '#core';
import { check } from './check.ts';

interface Rows {
  readonly plan: Plan;
  readonly state: RunState;
  readonly counters: { readonly remaining: number; readonly active: number; readonly waiting: number; readonly failed: boolean };
  readonly unmet: ReadonlyMap<number, number>;
  readonly timers: ReadonlyMap<string, unknown>;
  readonly rows: ReadonlyMap<number, { readonly state: StepState; readonly dispatchNo: number }>;
}

const ACTIVE: readonly StepState[] = ['DISPATCHED', 'RUNNING', 'RETRYING'];

/** Holds what a decision wrote against the rows that it left. */
export function checkAgainstRows(run: Rows, decision: RunDecision): void {
  const states = run.plan.steps.map(({ no }) => run.rows.get(no)?.state ?? 'PENDING');
  checkEnd(run, states, decision);
  checkDispatches(run, states, decision);
  if (!decision.live) return;
  checkCounters(run, states);
  checkPhase(run, decision.live.phase);
  checkWaits(run, states);
  checkTimers(run, states);
}

function checkCounters({ counters }: Rows, states: readonly StepState[]): void {
  const { remaining, active, waiting, failed } = counters;
  const told = { remaining, active, waiting, failed };
  const recount = {
    remaining: states.filter((state) => !isTerminalStep(state)).length,
    active: states.filter((state) => ACTIVE.includes(state)).length,
    waiting: states.filter((state) => state === 'WAITING').length,
    failed: states.some((state) => state === 'FAILED' || state === 'TIMED_OUT'),
  };
  check(JSON.stringify(told) === JSON.stringify(recount), 'counters are what a recount gives', { told, recount });
}

function checkEnd(run: Rows, states: readonly StepState[], decision: RunDecision): void {
  const over = isTerminalRun(run.state);
  check((decision.live === null) === over, 'the live row goes with the run', { state: run.state });
  const ended = states.every(isTerminalStep);
  // While it queues or is being cancelled, the next admission or the cancel itself brings the end.
  check(over === ended || ['QUEUED', 'CANCELLING'].includes(run.state), 'a run ends exactly when all its steps have ended', {
    state: run.state,
    states,
  });
  const failed = states.some((state) => state === 'FAILED' || state === 'TIMED_OUT');
  if (over && (run.state === 'SUCCEEDED' || run.state === 'FAILED')) {
    check((run.state === 'FAILED') === failed, 'a run fails exactly when a step failed', { state: run.state, states });
  }
}

function checkPhase({ state, counters }: Rows, phase: string): void {
  const due = state === 'CREATED' || state === 'QUEUED' ? 'queued' : state.toLowerCase();
  check(phase === due, 'the phase follows the state', { phase, state });
  if (state === 'RUNNING') check(counters.active > 0, 'a running run has a step under way', { counters });
  if (state === 'WAITING') check(counters.active === 0 && counters.waiting > 0, 'a waiting run only waits', { counters });
}

function checkWaits({ plan, rows, unmet, state }: Rows, states: readonly StepState[]): void {
  if (rows.size === 0) return;
  for (const { no, needs } of plan.steps) {
    const missing = needs.filter((need) => !isTerminalStep(states[need - 1] ?? 'PENDING')).length;
    if (needs.length > 1)
      check((unmet.get(no) ?? 0) === missing, 'a join misses the needs that have not ended', { no, told: unmet.get(no), missing });
    const begun = rows.has(no);
    check(!begun || missing === 0, 'a step begins after its needs', { no });
    if (state === 'RUNNING' && missing === 0) check(begun, 'a step whose needs have ended has begun', { no });
  }
}

function checkTimers({ timers }: Rows, states: readonly StepState[]): void {
  const due = states.flatMap((state, at) => {
    if (state === 'WAITING') return [`${at + 1} delay`];
    return state === 'RETRYING' ? [`${at + 1} retry`] : [];
  });
  const set = [...timers.keys()].toSorted();
  check(JSON.stringify(set) === JSON.stringify(due.toSorted()), 'exactly the steps that wait have a timer', { set, due });
}

function checkDispatches({ plan, rows }: Rows, states: readonly StepState[], { dispatches, stepMoves }: RunDecision): void {
  for (const { no, dispatchNo } of dispatches) {
    check(rows.get(no)?.dispatchNo === dispatchNo, 'a task carries the token of its row', { no, dispatchNo });
    check(
      (plan.steps[no - 1]?.needs ?? []).every((need) => isTerminalStep(states[need - 1] ?? 'PENDING')),
      'a step is sent after its needs ended',
      { no },
    );
  }
  const sent = stepMoves.filter(({ enters }) => enters === 'DISPATCHED').map(({ no }) => no);
  check(
    sent.every((no) => dispatches.some((task) => task.no === no)),
    'a dispatched step has its task',
    { sent },
  );
}
