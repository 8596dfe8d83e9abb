import { assertNever, assertThat } from '../errors.ts';
import { isTerminalRun, isTerminalStep, type StepState } from '../states.ts';
import { decideReady, goOnReady, someNeedFailed } from './decide-ready.ts';
import type { EventVerdict, RunDecision, UnfinishedDecision } from './run-decision.ts';
import { RunDraft, type StepDraft } from './run-draft.ts';
import { isRetried, retryDelayMs } from './retry.ts';
import {
  sameToken,
  type DecisionLimits,
  type RunEvent,
  type RunView,
  type StepErrorView,
  type StepEvaluation,
  type Token,
} from './run-view.ts';

/**
 * Decides what these events do to a run: the moves of its steps, what becomes ready, whether the run waits or ends. Pure: the same view,
 * events and evaluations give the same decision. Returns `wants` when it needs rows or evaluations that it was not given; the caller reads
 * them and asks again.
 */
export function decideRun(
  view: RunView,
  events: readonly RunEvent[],
  evaluations: ReadonlyMap<number, StepEvaluation>,
  limits: DecisionLimits,
): RunDecision | UnfinishedDecision {
  const draft = new RunDraft(view, evaluations, limits);
  for (const event of events) draft.verdicts.push(take(draft, event));
  conclude(draft);
  return draft.wantsMore ? unfinished(draft) : draft.finish();
}

function unfinished(draft: RunDraft): UnfinishedDecision {
  return { ...draft.wants(), wantsNext: (view, evaluations) => lookAhead(draft, view, evaluations) };
}

/**
 * Goes on with the steps that this draft had to postpone. It only tells what is wanted, and never becomes the decision: later events were
 * taken before what an earlier one leads to. The decision is made again from the start once this wants nothing more.
 */
function lookAhead(draft: RunDraft, view: RunView, evaluations: ReadonlyMap<number, StepEvaluation>): UnfinishedDecision | null {
  draft.learn(view, evaluations);
  goOnReady(draft);
  return draft.wantsMore ? unfinished(draft) : null;
}

/** Takes one event into the draft, and follows what it makes ready. */
function take(draft: RunDraft, event: RunEvent): EventVerdict {
  const verdict = takeAlone(draft, event);
  if (verdict === 'applied' && event.kind !== 'cancel' && event.kind !== 'deadline') decideReady(draft, event);
  return verdict;
}

function takeAlone(draft: RunDraft, event: RunEvent): EventVerdict {
  if (isTerminalRun(draft.state)) return 'settled';
  switch (event.kind) {
    case 'started':
      return onDispatched(draft, event, (step) => start(draft, step, event));
    case 'ended':
      return onDispatched(draft, event, (step) => end(draft, step, event));
    case 'lost':
      return onDispatched(draft, event, (step) => lose(draft, step, event));
    case 'overdue':
      return onDispatched(draft, event, (step) => overrun(draft, step, event));
    case 'retry_due':
      return retry(draft, event);
    case 'delay_over':
      return wake(draft, event);
    case 'admitted':
      return admit(draft, event);
    case 'held':
      if (draft.state !== 'CREATED') return 'ignored';
      draft.moveRun('QUEUED', event, event.reason);
      return 'applied';
    case 'cancel':
      return draft.state === 'CANCELLING' ? endAll(draft, event, 'CANCELLED', 'run.cancelled') : 'ignored';
    case 'deadline':
      return draft.state === 'CANCELLING' ? 'ignored' : endAll(draft, event, 'TIMED_OUT', 'run.timed_out');
    default:
      return assertNever(event);
  }
}

/** Runs `apply` when the event's token is that of a step which a worker may be running. */
function onDispatched(
  draft: RunDraft,
  event: RunEvent & { stepNo: number; token: Token },
  apply: (step: StepDraft) => EventVerdict,
): EventVerdict {
  if ('from' in event) {
    if (event.from !== draft.view.deploymentId) return 'foreign';
    // The row of a restored database may carry the token of a dispatch from before: no report about that is believed.
    if (event.token.epoch !== draft.limits.epoch) return 'stale';
  }
  if (event.stepNo > draft.plan.steps.length) return 'stale';
  const step = draft.step(event.stepNo);
  if (!step) return 'ignored';
  if (isTerminalStep(step.state)) return 'settled';
  // A re-sent or restored step has another token; what an earlier dispatch says is no longer believed.
  if (!sameToken(step, event.token)) return 'stale';
  if (step.state !== 'DISPATCHED' && step.state !== 'RUNNING') return 'settled';
  return apply(step);
}

function start(draft: RunDraft, step: StepDraft, event: RunEvent): EventVerdict {
  if (step.state === 'RUNNING') return 'settled';
  if (!draft.hasRoomFor(step, 1)) return 'later';
  draft.move(step, ['RUNNING'], event, { startedMsAgo: 0 });
  return 'applied';
}

/** The hops that end a dispatch: an end report on a step that has not reported its start implies the start. */
function through(step: StepDraft, end: StepState): StepState[] {
  return step.state === 'DISPATCHED' ? ['RUNNING', end] : [end];
}

function end(draft: RunDraft, step: StepDraft, event: RunEvent & { kind: 'ended' }): EventVerdict {
  if (!draft.hasRoomFor(step, step.state === 'DISPATCHED' ? 2 : 1)) return 'later';
  // A start that was taken in this same decision is timed by the end report, too: it knows how long the step ran.
  const startedMsAgo = step.state === 'DISPATCHED' || step.hops.length > 0 ? event.ranMs : null;
  if (event.outcome === 'cancelled') return handBack(draft, step, event, startedMsAgo);
  if (event.outcome === 'succeeded') {
    draft.move(step, through(step, 'SUCCEEDED'), event, { startedMsAgo });
    // An earlier attempt has left its error, which even no output replaces.
    draft.setResult(step.no, event.output, null, step.attempt > 1);
    return 'applied';
  }
  const error = event.error ?? { code: 'step.failed', message: 'The step failed without an error.', retryable: true };
  failOrRetry(draft, step, event, error, event.outcome === 'timed_out' ? 'TIMED_OUT' : 'FAILED', startedMsAgo, event.dice);
  return 'applied';
}

function failOrRetry(
  draft: RunDraft,
  step: StepDraft,
  event: RunEvent,
  error: StepErrorView,
  final: 'FAILED' | 'TIMED_OUT',
  startedMsAgo: number | null,
  dice: number,
): void {
  const { retry } = draft.planStep(step.no);
  const again = draft.state === 'RUNNING' && isRetried(retry, step.attempt, error);
  draft.move(step, through(step, again ? 'RETRYING' : final), event, { startedMsAgo, reason: error.code });
  draft.setResult(step.no, null, error);
  if (again)
    draft.setTimer({ no: step.no, kind: 'retry', due: { inMs: retryDelayMs(retry, step.attempt, dice, error.retryAfterSeconds) } });
}

/** A worker that leaves gives a step back: it is sent again, and no attempt is counted. */
function handBack(draft: RunDraft, step: StepDraft, event: RunEvent, startedMsAgo: number | null): EventVerdict {
  if (draft.state !== 'RUNNING') return 'ignored';
  return sendAgain(draft, step, event, through(step, 'DISPATCHED'), { reason: 'worker.left', startedMsAgo });
}

/** Times that a step was sent again and neither a new attempt nor a worker that had begun it explains it. */
function silentLosses({ dispatchNo, attempt, workerLosses }: StepDraft): number {
  return dispatchNo - attempt - workerLosses;
}

function lose(draft: RunDraft, step: StepDraft, event: RunEvent & { kind: 'lost' }): EventVerdict {
  if (draft.state !== 'RUNNING') return 'ignored';
  if (!draft.hasRoomFor(step, 1)) return 'later';
  // A step that ends its worker before it is heard of looks like one that only waited there: it must come to its end, too.
  const counts = event.was === 'begun' || silentLosses(step) >= draft.limits.silentLossesMax;
  const workerLosses = step.workerLosses + (counts ? 1 : 0);
  draft.dropped.push({ no: step.no, dispatchNo: step.dispatchNo });
  if (workerLosses > draft.limits.workerLossesMax) {
    const message = `The worker of this step was lost ${workerLosses} times; the step is not sent again, it may be what ends its workers.`;
    draft.move(step, ['FAILED'], event, { workerLosses, reason: 'step.worker_lost' });
    draft.setResult(step.no, null, { code: 'step.worker_lost', message, retryable: false });
    return 'applied';
  }
  return sendAgain(draft, step, event, ['DISPATCHED'], {
    workerLosses,
    reason: counts || event.was === 'held' ? 'worker.lost' : 'task.lost',
  });
}

/** Sends a step once more under a new token; its input is evaluated again, to the same value. */
function sendAgain(
  draft: RunDraft,
  step: StepDraft,
  event: RunEvent,
  hops: readonly StepState[],
  change: { reason: string | null; workerLosses?: number; attempt?: number; startedMsAgo?: number | null },
): EventVerdict {
  const input = inputAgain(draft, step.no);
  if (input === null) return 'applied';
  const dispatchNo = step.dispatchNo + 1;
  if (input.kind !== 'run') {
    const error =
      input.kind === 'error'
        ? input
        : { code: 'expression.not_repeatable', message: 'The condition of a step that was sent before is now false.' };
    draft.move(step, [...hops.slice(0, -1), 'FAILED'], event, { ...change, reason: error.code });
    draft.setResult(step.no, null, { code: error.code, message: error.message, retryable: false });
    return 'applied';
  }
  const attempt = change.attempt ?? step.attempt;
  draft.move(step, hops, event, { ...change, epoch: draft.limits.epoch, dispatchNo });
  draft.dispatches.push({ no: step.no, dispatchNo, attempt, input: input.input });
  return 'applied';
}

/** The evaluated input of a step that was ready before; null when it must be evaluated first. */
function inputAgain(draft: RunDraft, no: number): StepEvaluation | null {
  const step = draft.planStep(no);
  if (step.inputReads === null) return { kind: 'run', input: step.input };
  const evaluation = draft.evaluations.get(no);
  if (evaluation) return evaluation;
  const failed = someNeedFailed(draft, step);
  if (failed !== null) draft.wanted.evaluations.set(no, { no, failed, inputOnly: true });
  return null;
}

function overrun(draft: RunDraft, step: StepDraft, event: RunEvent): EventVerdict {
  if (step.state !== 'RUNNING') return 'settled';
  if (!draft.hasRoomFor(step, 1)) return 'later';
  const { timeoutSeconds } = draft.planStep(step.no);
  const error = {
    code: 'step.timeout',
    message: `The step ran longer than ${timeoutSeconds} s and its worker did not end it.`,
    retryable: true,
  };
  draft.dropped.push({ no: step.no, dispatchNo: step.dispatchNo });
  failOrRetry(draft, step, event, error, 'TIMED_OUT', step.startedMsAgo, 0.5);
  return 'applied';
}

function retry(draft: RunDraft, event: RunEvent & { kind: 'retry_due' }): EventVerdict {
  const step = draft.step(event.stepNo);
  if (!step) return 'ignored';
  if (step.state !== 'RETRYING') return 'settled';
  if (draft.state !== 'RUNNING') return 'ignored';
  if (!draft.hasRoomFor(step, 1)) return 'later';
  draft.clearTimer(step.no, 'retry');
  return sendAgain(draft, step, event, ['DISPATCHED'], { reason: null, attempt: step.attempt + 1 });
}

function wake(draft: RunDraft, event: RunEvent & { kind: 'delay_over' }): EventVerdict {
  const step = draft.step(event.stepNo);
  if (!step) return 'ignored';
  if (step.state !== 'WAITING') return 'settled';
  if (draft.state === 'CANCELLING') return 'ignored';
  if (!draft.hasRoomFor(step, 1)) return 'later';
  draft.clearTimer(step.no, 'delay');
  draft.move(step, ['SUCCEEDED'], event);
  return 'applied';
}

/** Starts a run, or lets it go on after it waited. */
function admit(draft: RunDraft, event: RunEvent & { kind: 'admitted' }): EventVerdict {
  if (draft.state !== 'CREATED' && draft.state !== 'QUEUED') return 'ignored';
  // Held in this same decision: together with what may follow the admission these would be three hops.
  if (draft.state !== draft.view.state) return 'later';
  if (draft.view.looked !== 'all') {
    draft.wanted.everyRow = true;
    return 'applied';
  }
  draft.moveRun('RUNNING', event);
  if (draft.view.steps.size > 0) return 'applied';
  draft.beginWaits();
  draft.reused = event.reused;
  for (const no of event.reused) {
    const step = draft.step(no);
    assertThat(step?.state === 'PENDING', 'a new run has no steps yet', { run: draft.view.id, step: no });
    draft.move(step, ['SKIPPED'], event, { reason: 'step.reused' });
  }
  return 'applied';
}

/** Ends the run with every step that has not ended. */
function endAll(draft: RunDraft, event: RunEvent, enters: 'CANCELLED' | 'TIMED_OUT', reason: string): EventVerdict {
  if (draft.view.looked !== 'all') {
    draft.wanted.everyRow = true;
    return 'applied';
  }
  // To be decided again: nothing is ended now that events before this one have not come to.
  if (draft.wantsMore) return 'applied';
  const open = draft.plan.steps.flatMap(({ no }) => draft.step(no) ?? []).filter((step) => !isTerminalStep(step.state));
  if (open.some((step) => !draft.hasRoomFor(step, 1))) return 'later';
  for (const step of open) {
    if (step.state === 'DISPATCHED' || step.state === 'RUNNING') draft.dropped.push({ no: step.no, dispatchNo: step.dispatchNo });
    draft.move(step, ['CANCELLED'], event, { reason });
  }
  draft.moveRun(enters, event, reason);
  return 'applied';
}

/** Ends the run when all its steps have ended; lets it wait when only waiting steps are left; queues it when one of them went on. */
function conclude(draft: RunDraft): void {
  const cause = draft.lastCause;
  if (draft.wantsMore || !cause || isTerminalRun(draft.state) || draft.state === 'CANCELLING') return;
  const runs = draft.state === 'RUNNING';
  if (draft.remaining === 0 && (runs || draft.state === 'WAITING')) {
    draft.moveRun(draft.failed ? 'FAILED' : 'SUCCEEDED', cause, draft.failed ? 'step.failed' : null);
  } else if (runs && draft.active === 0) {
    assertThat(draft.waiting > 0, 'a running run has a step to do or to wait for', { run: draft.view.id, remaining: draft.remaining });
    draft.moveRun('WAITING', cause, 'step.waiting');
  } else if (draft.state === 'WAITING' && draft.waiting < draft.view.waiting) {
    draft.moveRun('QUEUED', cause, 'step.went_on');
  }
}
