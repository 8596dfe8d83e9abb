import { RunSummary, paths } from '#contracts';
import type { Json } from '#core';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Session } from '../session.ts';
import { paintState } from '../terminal/paint.ts';
import { oneLine } from '../terminal/printable.ts';
import { sayStarted } from './say-started.ts';
import { watchRun } from './watch-run.ts';

/** What makes a command conditional, and what the audit keeps of it. */
export interface CommandOptions {
  readonly reason: string | undefined;
  readonly expectedVersion: number | undefined;
}

/** `flowforge cancel`: asks for the end of a run; its steps are ended after that. */
export async function cancelRun(session: Session, runId: string, options: CommandOptions): Promise<ExitCode> {
  const client = await session.connect();
  const { value: run, json } = await client.post(paths.cancel(runId), RunSummary, bodyOf(options));
  if (session.output === 'json') session.sayJson(json);
  else if (session.output === 'name') session.say(run.id);
  else session.say(`${run.id}  ${oneLine(run.workflow)} v${run.workflowVersion}  ${paintState(session.paint, run.state)}`);
  return EXIT.ok;
}

/** `flowforge retry`: a new run of the same version and input that takes over what had succeeded. */
export async function retryRun(
  session: Session,
  runId: string,
  options: CommandOptions & { readonly wait: boolean; readonly timeoutMs: number | undefined },
): Promise<ExitCode> {
  const client = await session.connect();
  const started = await client.post(paths.retry(runId), RunSummary, bodyOf(options));
  if (options.wait) return watchRun(session, client, started.value.id, { timeoutMs: options.timeoutMs });
  sayStarted(session, started);
  return EXIT.ok;
}

/** `flowforge watch`. */
export async function watch(session: Session, runId: string, options: { readonly timeoutMs: number | undefined }): Promise<ExitCode> {
  return watchRun(session, await session.connect(), runId, options);
}

function bodyOf({ reason, expectedVersion }: CommandOptions): Record<string, Json> {
  return { ...(reason === undefined ? {} : { reason }), ...(expectedVersion === undefined ? {} : { expectedVersion }) };
}
