import { RunDetail, StepDetail, type StepSummary, paths } from '#contracts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Session } from '../session.ts';
import { paintState } from '../terminal/paint.ts';
import { type Cell, fields, table } from '../terminal/table.ts';
import { absolute, ageAndTime, formatDuration, tookMs } from '../terminal/times.ts';
import { failureLines, outputLines } from './run-end.ts';
import { stepsOf } from './watch-run.ts';

/** `flowforge get run`: one run with its steps. */
export async function getRun(session: Session, runId: string): Promise<ExitCode> {
  const client = await session.connect();
  const { value: run, json } = await client.get(paths.run(runId), RunDetail);
  if (session.output === 'json') session.sayJson(json);
  else if (session.output === 'name') session.say(run.id);
  else sayRun(session, run, await stepsOf(client, runId));
  return EXIT.ok;
}

/** `flowforge get step`: one step with its output. */
export async function getStep(session: Session, runId: string, step: string): Promise<ExitCode> {
  const client = await session.connect();
  const { value, json } = await client.get(paths.step(runId, step), StepDetail);
  if (session.output === 'json') session.sayJson(json);
  else if (session.output === 'name') session.say(value.name);
  else session.say(...stepsTable(session, [value]), ...failureLines(session, [value]), ...outputLines(session, value.output));
  return EXIT.ok;
}

function sayRun(session: Session, run: RunDetail, steps: readonly StepSummary[]): void {
  const { paint, output, now } = session;
  const took = tookMs(run.startedAt, run.endedAt, now);
  const isWide = output === 'wide';
  session.say(
    ...fields([
      ['Run', run.id],
      ['Workflow', `${run.workflow} v${run.workflowVersion}`],
      ['State', { text: run.state, paint: (text) => paintState(paint, run.state, text) }],
      ['Reason', run.reason],
      ['Environment', run.environment],
      ['Team', run.team],
      ['Deployment', `${run.deployment.name} (by ${run.matchedBy})`],
      ['Retry of', run.retryOf],
      ['Created', `${ageAndTime(run.createdAt, now)} by ${run.createdBy}`],
      ['Ended', ageAndTime(run.endedAt, now)],
      ['Took', took === null ? null : formatDuration(took)],
      ['Progress', `${run.steps.total - run.steps.remaining} of ${run.steps.total} steps`],
      ['Version', isWide ? run.version : null],
      ['Input', isWide ? JSON.stringify(run.input) : null],
    ]),
    '',
    ...stepsTable(session, steps),
    ...failureLines(session, steps),
    ...outputLines(session, run.output),
  );
}

/** Steps in the order of the plan. */
export function stepsTable(
  { paint, output, now }: Pick<Session, 'paint' | 'output' | 'now'>,
  steps: readonly Omit<StepSummary, 'output'>[],
): string[] {
  const isWide = output === 'wide';
  const rows = steps.map((step): Cell[] => {
    const took = tookMs(step.startedAt, step.endedAt, now);
    const usual = [
      step.name,
      step.uses,
      { text: step.state, paint: (text: string) => paintState(paint, step.state, text) },
      `${step.attempt}/${step.attemptsMax}`,
      took === null ? null : formatDuration(took),
    ];
    const wide = [step.stepNo, step.needs.join(','), step.workerLosses, absolute(step.startedAt), absolute(step.endedAt)];
    return [...usual, ...(isWide ? wide : []), step.reason ?? step.error?.code ?? null];
  });
  return table(
    ['STEP', 'USES', 'STATE', 'ATTEMPT', 'TOOK', ...(isWide ? ['NO', 'NEEDS', 'LOSSES', 'STARTED', 'ENDED'] : []), 'REASON'],
    rows,
  );
}
