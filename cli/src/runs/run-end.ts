import type { RunDetail, StepSummary } from '#contracts';
import type { Answer } from '../http/api-client.ts';
import type { Session } from '../session.ts';
import { paintState } from '../terminal/paint.ts';
import { oneLine, printable } from '../terminal/printable.ts';
import { formatDuration, tookMs } from '../terminal/times.ts';

/** Lines of an output that a terminal gets; all of it comes with -o json. */
export const OUTPUT_LINES_MAX = 40;

/** Tells how a run has ended: its state, why steps failed, its output. */
export function sayEnd(session: Session, { value: run, json }: Answer<RunDetail>, steps: readonly StepSummary[]): void {
  if (session.output === 'json') return session.sayJson(json);
  if (session.output === 'name') return session.say(run.id);
  const took = tookMs(run.createdAt, run.endedAt, session.now) ?? 0;
  const reason = run.reason === null ? '' : ` (${oneLine(run.reason)})`;
  session.say(
    `${paintState(session.paint, run.state)}${reason}  ${oneLine(run.workflow)} v${run.workflowVersion}  ${run.id}  ${formatDuration(took)}`,
    ...failureLines(session, steps),
    ...outputLines(session, run.output),
  );
}

/** Each step that failed, with its error. */
export function failureLines({ paint }: Session, steps: readonly StepSummary[]): string[] {
  const failed = steps.filter(({ state }) => state === 'FAILED' || state === 'TIMED_OUT');
  return failed.map(({ name, state, error, attempt, attemptsMax }) => {
    const why = error === null ? '' : `${error.code}: ${error.message}`;
    return `  ${paintState(paint, state, '✗')} ${oneLine(name)}  ${oneLine(why)} ${paint.dim(`(attempt ${attempt} of ${attemptsMax})`)}`;
  });
}

export function outputLines({ paint }: Session, output: unknown): string[] {
  if (output === null || output === undefined) return [];
  const lines = printable(JSON.stringify(output, null, 2)).split('\n');
  const more = lines.length - OUTPUT_LINES_MAX;
  return [...lines.slice(0, OUTPUT_LINES_MAX), ...(more > 0 ? [paint.dim(`… ${more} more lines: -o json shows all`)] : [])];
}
