import { RunDetail, type StepSummary, StepPage, paths } from '#contracts';
import type { RunState } from '#core';
import { CliError } from '../errors/cli-error.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { ApiClient } from '../http/api-client.ts';
import type { Session } from '../session.ts';
import { formatDuration } from '../terminal/times.ts';
import { type Patience, followRun } from './follow-run.ts';
import { openProgress } from './progress-view.ts';
import { sayEnd } from './run-end.ts';

/** Steps that a definition may have. */
export const STEPS_MAX = 10_000;

export interface WatchOptions {
  readonly timeoutMs: number | undefined;
  readonly patience?: Partial<Patience>;
}

/**
 * Follows a run to its end and tells it. The exit code is the run's. Ctrl-C and the timeout end only the watching; both say how to go on.
 */
export async function watchRun(session: Session, client: ApiClient, runId: string, options: WatchOptions): Promise<ExitCode> {
  const [run, steps] = await Promise.all([client.get(paths.run(runId), RunDetail), stepsOf(client, runId)]);
  const { interrupted } = session.world;
  const deadline = options.timeoutMs === undefined ? undefined : AbortSignal.timeout(options.timeoutMs);
  const signal = deadline ? AbortSignal.any([interrupted, deadline]) : interrupted;
  const view = openProgress(session, run.value, steps);
  try {
    for await (const change of followRun(client, runId, { signal, ...(options.patience ? { patience: options.patience } : {}) })) {
      view.show(change);
    }
  } catch (error) {
    throw stoppedBy(interrupted, deadline, runId, options.timeoutMs ?? 0) ?? error;
  } finally {
    view.close();
  }
  const [ended, endedSteps] = await Promise.all([client.get(paths.run(runId), RunDetail), stepsOf(client, runId)]);
  sayEnd(session, ended, endedSteps);
  return exitCodeOfRun(ended.value.state);
}

export async function stepsOf(client: ApiClient, runId: string): Promise<StepSummary[]> {
  return (await client.list(paths.steps(runId), StepPage, {}, STEPS_MAX)).items;
}

/** 0 for a run that succeeded. */
export function exitCodeOfRun(state: RunState): ExitCode {
  return state === 'SUCCEEDED' ? EXIT.ok : EXIT.failed;
}

function stoppedBy(interrupted: AbortSignal, deadline: AbortSignal | undefined, runId: string, timeoutMs: number): CliError | undefined {
  const goOn = `Watch it again: flowforge watch ${runId} · Stop it: flowforge cancel ${runId}`;
  if (interrupted.aborted)
    return new CliError(EXIT.interrupted, 'cli.interrupted', 'You stopped watching; the run goes on.', goOn, { runId });
  if (!deadline?.aborted) return undefined;
  const message = `The run has not ended within ${formatDuration(timeoutMs)}; it goes on.`;
  return new CliError(EXIT.timedOut, 'cli.wait_timed_out', message, goOn, { runId });
}
