import { assertThat } from '../errors.ts';
import { DURATION_MS_MAX, parseDuration } from '../duration.ts';
import type { Json } from '../json.ts';
import type { PlanStep } from '../plan.ts';
import { isTerminalStep } from '../states.ts';
import type { TimerChange } from './run-decision.ts';
import type { RunDraft, StepDraft } from './run-draft.ts';
import { SKIP_REASONS, type RunEvent, type StepEvaluation } from './run-view.ts';

/**
 * Follows the steps that ended in this draft to those they make ready: each is sent, set waiting, skipped or failed; what is skipped or
 * failed has ended too, and so on until nothing new ends. While the run does not run (it waits or queues), the waits are lowered but nothing
 * is sent: admission goes through all rows again.
 */
export function decideReady(draft: RunDraft, event: RunEvent): void {
  const ready = event.kind === 'admitted' ? beginnings(draft) : [];
  for (const no of ready) begin(draft, no, event);
  follow(draft, event);
}

/** Goes on with the steps that lacked something when they were come to, and follows them in the same way. */
export function goOnReady(draft: RunDraft): void {
  for (const { goOn, no, event } of draft.postponed.splice(0)) {
    goOn(draft, no, event);
    follow(draft, event);
  }
}

function follow(draft: RunDraft, event: RunEvent): void {
  // `ended` grows while the loop runs: a skipped step has ended, and is followed in its turn.
  let no = draft.ended.shift();
  while (no !== undefined) {
    for (const dependent of draft.planStep(no).dependents) reach(draft, dependent, event);
    no = draft.ended.shift();
  }
}

/** The steps with which a run begins, or goes on: without a row, all needs ended. */
function beginnings(draft: RunDraft): number[] {
  if (draft.wanted.everyRow) return [];
  if (draft.view.steps.size === 0) return draft.plan.roots.filter((no) => draft.step(no)?.state === 'PENDING');
  // As the draft has them: a delay may have ended in this same decision, before the run was let go on.
  const stateOf = (no: number) => draft.readyStep(no).state;
  return draft.plan.steps
    .filter((step) => stateOf(step.no) === 'PENDING' && step.needs.every((need) => isTerminalStep(stateOf(need))))
    .map((step) => step.no);
}

/** One more need of the step ended: it begins with the last one. */
function reach(draft: RunDraft, no: number, event: RunEvent): void {
  const unmet = draft.planStep(no).needs.length === 1 ? 0 : draft.lowerWait(no);
  if (unmet === 0) begin(draft, no, event);
  else if (unmet === null) draft.postponed.push({ goOn: reach, no, event });
}

function begin(draft: RunDraft, no: number, event: RunEvent): void {
  if (draft.state !== 'RUNNING') return;
  const planStep = draft.planStep(no);
  const step = draft.readyStep(no);
  if (step.state !== 'PENDING') return; // taken over from the retried run
  const failed = someNeedFailed(draft, planStep);
  if (failed && !planStep.condition?.readsFailed) {
    draft.move(step, ['SKIPPED'], event, { reason: SKIP_REASONS.need });
    return;
  }
  const evaluation = failed === null ? null : evaluationOf(draft, planStep, failed);
  if (evaluation) settle(draft, step, planStep, evaluation, event);
  else draft.postponed.push({ goOn: begin, no, event });
}

/** Null while the rows of its needs are not all read. */
export function someNeedFailed(draft: RunDraft, step: PlanStep): boolean | null {
  const needs = step.needs.map((need) => draft.step(need));
  return needs.includes(null) ? null : needs.some((need) => need !== null && hasFailed(need));
}

/** A need has failed for its dependents when it did not end well, or was skipped because one of its own needs had failed. */
function hasFailed(need: StepDraft): boolean {
  assertThat(isTerminalStep(need.state), 'the needs of a ready step have ended', { step: need.no });
  if (need.state === 'SKIPPED') return need.reason === SKIP_REASONS.need;
  return need.state !== 'SUCCEEDED';
}

function evaluationOf(draft: RunDraft, step: PlanStep, failed: boolean): StepEvaluation | null {
  if (step.condition === null && step.inputReads === null) return { kind: 'run', input: step.input };
  const evaluation = draft.evaluations.get(step.no);
  if (!evaluation) draft.wanted.evaluations.set(step.no, { no: step.no, failed, inputOnly: false });
  return evaluation ?? null;
}

function settle(draft: RunDraft, step: StepDraft, planStep: PlanStep, evaluation: StepEvaluation, event: RunEvent): void {
  switch (evaluation.kind) {
    case 'skip':
      draft.move(step, ['SKIPPED'], event, { reason: SKIP_REASONS.condition });
      return;
    case 'error':
      fail(draft, step, evaluation, event);
      return;
    case 'run':
      if (planStep.uses === 'delay') delay(draft, step, evaluation.input, event);
      else dispatch(draft, step, evaluation.input, event);
  }
}

function dispatch(draft: RunDraft, step: StepDraft, input: Json, event: RunEvent): void {
  draft.move(step, ['DISPATCHED'], event, { dispatchNo: 1 });
  draft.dispatches.push({ no: step.no, dispatchNo: 1, attempt: step.attempt, input });
}

function fail(draft: RunDraft, step: StepDraft, error: { code: string; message: string }, event: RunEvent): void {
  draft.move(step, ['FAILED'], event, { reason: error.code });
  draft.setResult(step.no, null, { code: error.code, message: error.message, retryable: false });
}

function delay(draft: RunDraft, step: StepDraft, input: Json, event: RunEvent): void {
  const due = delayDue(input);
  if (!due) {
    fail(
      draft,
      step,
      { code: 'step.delay_invalid', message: 'A delay takes `duration` (like 90s, at most 366d) or `until` (an ISO time).' },
      event,
    );
    return;
  }
  draft.move(step, ['WAITING'], event, { reason: 'step.delay' });
  draft.setTimer({ no: step.no, kind: 'delay', due });
}

/** When a delay's input says it is over; null when it says nothing usable. */
export function delayDue(input: Json): TimerChange['due'] | null {
  if (input === null || typeof input !== 'object' || Array.isArray(input)) return null;
  const { duration, until } = input as { readonly duration?: Json; readonly until?: Json };
  if (typeof duration === 'string') {
    const inMs = parseDuration(duration);
    return inMs === null ? null : { inMs };
  }
  const atMs = typeof until === 'string' ? Date.parse(until) : Number.NaN;
  // A moment before 1970 is over, however far back; the database's calendar ends earlier on that side than JavaScript's.
  return Number.isFinite(atMs) && atMs < 8.64e15 - DURATION_MS_MAX ? { atMs: Math.max(0, atMs) } : null;
}
