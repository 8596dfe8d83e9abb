import { paths, type StepDetail } from '#contracts';
import { eventually } from '#testing';
import type { Absence, LocalProfile } from './local-profile.ts';
import { line } from './printing.ts';
import { untilThrough, type Progress } from './step-progress.ts';

/** The silver branch that is struck. */
const aspect = 'money';

/** What was done to a run under way. */
export interface Strikes {
  readonly step: string;
  /** The step's process, when it was killed, and what the worker reported of its death. */
  readonly stepProcess: Progress & { readonly told: string };
  /** FlowForge as a whole, when it was killed, with how far the step was. */
  readonly flowforge: Absence & { readonly done: number };
}

/** Ends the process of a step with SIGKILL, a third through; and then, two thirds through its next attempt, FlowForge itself. */
export async function strike(profile: LocalProfile, runId: string, runFolder: string): Promise<Strikes> {
  const step = `silver-${aspect}`;
  const first = await untilThrough(runFolder, aspect, 1, 1 / 3);
  process.kill(first.pid, 'SIGKILL');
  line(`         ⚡ kill -9 ${first.pid}, the process of ${step}, after ${first.done} of ${first.of} rows`);
  const told = await deathOf(profile, runId, step);
  const second = await untilThrough(runFolder, aspect, 2, 2 / 3);
  line(
    `         ⚡ kill -9 ${profile.pid}, FlowForge itself: api, scheduler and workers, ${step} being at ${second.done} of ${second.of} rows`,
  );
  const absence = await profile.killAndStartAgain();
  line(
    `         ⚡ it ended with exit code ${absence.exitCode}, and was back after ${(absence.awayMs / 1000).toFixed(1)} s (${profile.pid})`,
  );
  return { step, stepProcess: { ...first, told }, flowforge: { ...absence, done: second.done } };
}

/** The worker's account of it stands on the step until another attempt ends. */
function deathOf(profile: LocalProfile, runId: string, step: string): Promise<string> {
  return eventually(
    async () => {
      const { body } = await profile.api.request<StepDetail>('GET', paths.step(runId, step));
      return body.error && `${body.error.code}: ${body.error.message}`;
    },
    { what: `the worker to report the death of ${step}` },
  );
}
