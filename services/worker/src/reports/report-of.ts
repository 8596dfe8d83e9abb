import { randomUUID } from 'node:crypto';
import { assertNever } from '#core';
import type { EndedReport, StartedReport, TaskMessage } from '#contracts';
import type { SupervisedEnd } from '../processes/supervised-step.ts';

/** The report that a step has begun. */
export function startedReport(task: TaskMessage, session: string): StartedReport {
  return { kind: 'started', ...headOf(task, session) };
}

/** The report of a step's end; null when it was dropped: the database knows already, or someone else runs it. */
export function endedReport(task: TaskMessage, session: string, { end, ranMs }: SupervisedEnd): EndedReport | null {
  const head = { kind: 'ended' as const, ...headOf(task, session), ranMs };
  switch (end.outcome) {
    case 'succeeded':
      return { ...head, outcome: end.outcome, ...(end.output === null ? {} : { output: end.output }) };
    case 'failed':
    case 'timed_out':
      return { ...head, outcome: end.outcome, error: end.error };
    case 'dropped':
      return null;
    default:
      return assertNever(end);
  }
}

function headOf({ runId, stepNo, epoch, dispatchNo }: TaskMessage, session: string) {
  return { v: 1 as const, id: randomUUID(), runId, stepNo, epoch, dispatchNo, session };
}
