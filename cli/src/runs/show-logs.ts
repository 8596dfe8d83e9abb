import { LogPage, RunDetail, StepDetail, paths } from '#contracts';
import { isTerminalRun } from '#core';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { type ApiClient, itemsOf } from '../http/api-client.ts';
import { interruptedError } from '../http/unreachable.ts';
import type { Session } from '../session.ts';
import { LogFollower } from './log-follower.ts';
import { logLine } from './log-line.ts';

export interface LogOptions {
  readonly step: string | undefined;
  readonly follow: boolean;
}

/** `flowforge logs`: what the steps of a run logged; with -f until the run has ended. JSON comes as a LogLine a line. */
export async function showLogs(session: Session, runId: string, { step, follow }: LogOptions): Promise<ExitCode> {
  const client = await session.connect();
  const { value: run } = await client.get(paths.run(runId), RunDetail);
  // A step that does not exist would be waited for until the run ends.
  if (step !== undefined) await client.get(paths.step(runId, step), StepDetail);
  const lines = follow && !isTerminalRun(run.state) ? followed(session, client, runId, step) : pages(client, runId, step);
  for await (const { value, json } of lines) {
    session.say(session.output === 'json' ? JSON.stringify(json) : logLine(value, session.paint, session.output === 'wide'));
  }
  return EXIT.ok;
}

async function* followed(session: Session, client: ApiClient, runId: string, step: string | undefined) {
  const { interrupted } = session.world;
  try {
    yield* new LogFollower(client, runId, step).lines(interrupted);
  } catch (error) {
    throw interrupted.aborted ? interruptedError() : error;
  }
}

async function* pages(client: ApiClient, runId: string, step: string | undefined) {
  for (let cursor: string | undefined; ;) {
    const { value, json } = await client.get(paths.logs(runId), LogPage, { step, cursor, limit: 200 });
    const shapes = itemsOf(json);
    for (const [index, line] of value.items.entries()) yield { value: line, json: shapes[index] ?? null };
    if (value.nextCursor === null) return;
    cursor = value.nextCursor;
  }
}
