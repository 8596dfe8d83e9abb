import type { RunSummary } from '#contracts';
import type { Answer } from '../http/api-client.ts';
import type { Session } from '../session.ts';
import { paintState } from '../terminal/paint.ts';
import { oneLine } from '../terminal/printable.ts';

/** Tells of a run that was started, and how to go on. */
export function sayStarted(session: Session, { value: run, json }: Answer<RunSummary>): void {
  if (session.output === 'json') return session.sayJson(json);
  if (session.output === 'name') return session.say(run.id);
  const of = run.retryOf === null ? '' : `  retry of ${run.retryOf}`;
  session.say(`${run.id}  ${oneLine(run.workflow)} v${run.workflowVersion}  ${paintState(session.paint, run.state)}${of}`);
  session.note(`Watch it: flowforge watch ${run.id}`);
}
