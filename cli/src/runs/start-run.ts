import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { IDEMPOTENCY_HEADER, RunSummary, paths } from '#contracts';
import { ApiError } from '../errors/api-error.ts';
import { CliError } from '../errors/cli-error.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Answer } from '../http/api-client.ts';
import type { Session } from '../session.ts';
import { findWorkflow } from '../workflows/find-workflow.ts';
import { readRunInput } from './run-input.ts';
import { sayStarted } from './say-started.ts';
import { watchRun } from './watch-run.ts';

/** Requests for one run before an outage counts. All carry the same idempotency key, so that they start one run. */
const TRIES_MAX = 3;
const TRY_AGAIN_MS = 500;

export interface StartOptions {
  readonly input: readonly string[];
  readonly wait: boolean;
  readonly timeoutMs: number | undefined;
  readonly idempotencyKey: string | undefined;
}

/** `flowforge run`: starts a run and, with --wait, follows it to its end. */
export async function startRun(session: Session, reference: string, options: StartOptions): Promise<ExitCode> {
  const input = await readRunInput(options.input, session.world);
  const client = await session.connect();
  const { value: workflow } = await findWorkflow(client, reference);
  const key = options.idempotencyKey ?? randomUUID();
  const started = await insist(
    () => client.post(paths.workflowRuns(workflow.id), RunSummary, { input }, { [IDEMPOTENCY_HEADER]: key }),
    options.input,
  );
  if (started.status === 200 && options.idempotencyKey !== undefined) session.note('This key had started the run before.');
  if (!options.wait) {
    sayStarted(session, started);
    return EXIT.ok;
  }
  return watchRun(session, client, started.value.id, { timeoutMs: options.timeoutMs });
}

async function insist(start: () => Promise<Answer<RunSummary>>, parts: readonly string[]): Promise<Answer<RunSummary>> {
  for (let tried = 1; ; tried++) {
    try {
      return await start();
    } catch (error) {
      if (tried >= TRIES_MAX || !mayPass(error)) throw withHint(error, parts);
      await pause(TRY_AGAIN_MS * tried);
    }
  }
}

/** An outage, or an answer that got lost: nobody listening at all will not change in a second. */
function mayPass(error: unknown): boolean {
  if (error instanceof ApiError) return error.refused.status === 503;
  return error instanceof CliError && error.code === 'cli.unreachable' && error.details['reason'] !== 'ECONNREFUSED';
}

/** key=value is always a text: the most frequent reason why a server finds the wrong type. */
function withHint(error: unknown, parts: readonly string[]): unknown {
  const text = parts.find((part) => /^[^@{[=]*[^:=]=/.test(part));
  if (!(error instanceof ApiError) || error.code !== 'run.input_invalid' || text === undefined) return error;
  const hint = `key=value gives a text; for numbers, booleans and lists write key:=value, as in ${text.replace('=', ':=')}`;
  const { code, message, details, remedy, requestId, refused } = error;
  return new ApiError({ code, message, details, remedy: remedy === null ? hint : `${remedy} ${hint}` }, requestId, refused);
}
