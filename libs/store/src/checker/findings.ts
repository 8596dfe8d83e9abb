import type { Json } from '#core';
import type { Finding, InvariantId } from './report.ts';

interface FindingKind {
  readonly invariant: InvariantId;
  /** Follows the subject; `{name}` stands for a detail. */
  readonly says: string;
}

/** Every code that the checker can report. The statements name the codes; what they mean stands here. */
export const FINDING_KINDS: Readonly<Record<string, FindingKind>> = {
  'check.run.live_row_missing': { invariant: 'I1', says: 'is {state} and has no live row: nothing will ever move it' },
  'check.run.live_row_orphan': { invariant: 'I1', says: 'has a live row ({phase}), but there is no such run under way' },
  'check.run.ended_row_missing': { invariant: 'I1', says: 'is {state} and not among the ended runs: no list of that state shows it' },
  'check.run.ended_row_orphan': { invariant: 'I1', says: 'is among the ended runs as {state}, which it is not' },
  'check.run.live_row_differs': {
    invariant: 'I1',
    says: 'has a live row of another workflow, environment or team: no list of its own shows it',
  },
  'check.run.phase_differs': { invariant: 'I1', says: 'is {state}, its live row says {phase} (held back: {held})' },
  'check.run.stuck': { invariant: 'I1', says: 'is {phase}, but no step is at a worker, on the way to one, or waits with a timer' },
  'check.step.timer_missing': { invariant: 'I1', says: 'is {state} and has no timer to wake it' },
  'check.key.run_missing': { invariant: 'I1', says: 'was answered with run {run}, which does not exist' },
  'check.run.missing': { invariant: 'I1', says: 'was accepted and does not exist' },
  'check.run.not_ended': { invariant: 'I1', says: 'is still {state} although all is at rest' },
  'check.audit.illegal_edge': {
    invariant: 'I2',
    says: 'went from {leaves} to {enters} at version {version}, which is no edge of its graph',
  },
  'check.audit.version_gap': { invariant: 'I2', says: 'has audit version {version} after {previousVersion}' },
  'check.audit.torn': { invariant: 'I2', says: 'left {leaves} at version {version}, but was {previousState} before' },
  'check.audit.disordered': { invariant: 'I2', says: 'has audit version {version} written before version {previousVersion}' },
  'check.audit.state_differs': { invariant: 'I2', says: 'is {rowState}, its last audit row says {auditState}' },
  'check.audit.row_missing': { invariant: 'I3', says: 'is {rowState} at version {rowVersion}, its audit ends at version {auditVersion}' },
  'check.audit.row_doubled': { invariant: 'I3', says: 'has two audit rows of version {version}' },
  'check.audit.row_surplus': { invariant: 'I3', says: 'has an audit up to version {auditVersion}, but its row is at version {rowVersion}' },
  'check.audit.foreign_role': { invariant: 'I3', says: 'was moved to {enters} by {dbRole}, which is no role of a service' },
  'check.step.ended_twice': { invariant: 'I4', says: 'had ended and ended again: {enters} at version {version}' },
  'check.step.token_fell': { invariant: 'I4', says: 'went to {enters} under dispatch {dispatchNo} after dispatch {dispatchNoBefore}' },
  'check.step.token_differs': {
    invariant: 'I4',
    says: 'has another token or attempt than its last audit row tells (dispatch {rowDispatchNo}, audited {auditDispatchNo})',
  },
  'check.step.attempts': { invariant: 'I4', says: 'is at attempt {attempt}; its policy allows {policy}' },
  'check.effect.doubled': { invariant: 'I4', says: 'was booked {count} times by the outside world' },
  'check.step.unheld': { invariant: 'I5', says: 'is {state} since {since} and no living worker holds it' },
  'check.step.ready_overdue': { invariant: 'I5', says: 'has been ready since {since} and was not begun' },
  'check.timer.overdue': { invariant: 'I5', says: 'has a {kind} timer that was due at {due}' },
  'check.run.deadline_overdue': { invariant: 'I5', says: 'should have timed out at {deadline}' },
  'check.run.cancel_overdue': { invariant: 'I5', says: 'is being cancelled since {since}' },
  'check.session.expired': { invariant: 'I5', says: 'of worker {worker} expired at {expired} and is still there, holding {holds} steps' },
  'check.message.unknown_run': { invariant: 'I8', says: 'speaks of run {run}, which does not exist' },
  'check.message.unknown_step': { invariant: 'I8', says: 'speaks of step {step} of run {run}, which was never begun' },
  'check.message.foreign_deployment': { invariant: 'I8', says: 'speaks of a run of deployment {deployment}' },
  'check.message.unknown_token': { invariant: 'I8', says: 'carries dispatch {dispatchNo}, which was never given out' },
  'check.rest.live_run': { invariant: 'I9', says: 'is {phase}' },
  'check.rest.timer': { invariant: 'I9', says: 'has a {kind} timer left' },
  'check.rest.wait': { invariant: 'I9', says: 'has a join row left' },
  'check.rest.held': { invariant: 'I9', says: 'of worker {worker} holds {holds} steps' },
  'check.rest.pending': { invariant: 'I9', says: 'has {pending} messages that are not acknowledged' },
  'check.bound.output': { invariant: 'I10', says: 'has an output of {printedBytes} bytes; {bytesMax} are allowed' },
  'check.bound.log_line': { invariant: 'I10', says: 'has a log line {line} of {bytes} bytes; {bytesMax} are allowed' },
  'check.bound.log_step': { invariant: 'I10', says: 'logged {bytes} bytes in dispatch {dispatchNo}; {bytesMax} are allowed' },
  'check.bound.steps': { invariant: 'I10', says: 'has {steps} steps; {stepsMax} are allowed' },
  'check.bound.attempts': { invariant: 'I10', says: 'is at attempt {attempt}, beyond what any policy may allow' },
  'check.bound.worker_losses': { invariant: 'I10', says: 'lost its worker {workerLosses} times and was sent again' },
  'check.counter.remaining': { invariant: 'I12', says: 'counts {stored} steps that have not ended; there are {counted}' },
  'check.counter.active': { invariant: 'I12', says: 'counts {stored} active steps; there are {counted}' },
  'check.counter.waiting': { invariant: 'I12', says: 'counts {stored} waiting steps; there are {counted}' },
  'check.counter.failed': { invariant: 'I12', says: 'says failed = {stored}; its steps say {counted}' },
  'check.counter.unmet': { invariant: 'I12', says: 'counts {stored} needs that have not ended; there are {counted}' },
  'check.wait.missing': { invariant: 'I12', says: 'is a join with {counted} needs to come and has no row that counts them' },
  'check.wait.orphan': { invariant: 'I12', says: 'has a join row, but is no join of a run under way' },
  'check.timer.orphan': { invariant: 'I12', says: 'has a {kind} timer, but its state is {state}' },
  'check.run.step_unfinished': { invariant: 'I12', says: 'is {state}, but only {ended} of its {planned} steps have ended' },
  'check.run.step_outside_plan': { invariant: 'I12', says: 'has a step {highest}; its plan has {planned}' },
  'check.run.end_differs': { invariant: 'I12', says: 'is {state} with {failed} failed and {cancelled} cancelled steps' },
  'check.step.too_early': { invariant: 'I12', says: 'began before its need {need} had ended' },
  'check.history.not_linearizable': {
    invariant: 'I12',
    says: 'answered {op} with {outcome}, which fits no moment of its life between the answers around it',
  },
  'check.history.run_missing': { invariant: 'I12', says: 'was answered {op} with {outcome} and has no history' },
};

/** A finding in words. Null and absent details read as `none`. */
export function describeFinding(code: string, subject: string, details: Readonly<Record<string, Json>>): Finding {
  const says = FINDING_KINDS[code]?.says ?? 'is not as it must be';
  const message = says.replace(/\{(\w+)\}/g, (_, name: string) => wordOf(details[name]));
  return { code, subject, message: `${subject} ${message}.`, details };
}

function wordOf(value: Json | undefined): string {
  if (value === undefined || value === null) return 'none';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
