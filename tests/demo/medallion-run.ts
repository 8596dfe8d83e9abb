import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { paths, type AppliedWorkflow, type Explanation, type RunDetail, type StepDetail, type Transition, type Page } from '#contracts';
import type { ApiClient, Answer } from '../harness/api-client.ts';
import { followRun } from './follow-run.ts';
import type { LocalProfile } from './local-profile.ts';
import { fact, inStateColour, line, seconds } from './printing.ts';
import { strike, type Strikes } from './strike.ts';

/** Rest between slices: the run takes long enough to be watched, and to be killed in the middle. */
const pauseMs = 90;
export const fromYear = 1990;

/** Everything the demo knows about its run once it has ended. */
export interface MedallionRun {
  readonly detail: RunDetail;
  /** As the API lists them, and as they came by the live stream. */
  readonly transitions: readonly Transition[];
  readonly streamed: readonly Transition[];
  readonly strikes: Strikes;
  /** Slices that the last dispatch of the struck step did not have to do again. */
  readonly slicesReused: number;
  readonly explanation: Explanation;
}

/** Publishes the template. Returns the workflow's id. */
export async function publishTemplate(api: ApiClient, file: string): Promise<string> {
  const source = await readFile(file, 'utf8');
  const applied = expectStatus(await api.request<AppliedWorkflow>('POST', paths.workflows, { source, file }), 201);
  fact('workflow', `${applied.name} version ${applied.version}, ${applied.outcome}; definition ${applied.checksum.slice(0, 12)}…`);
  if (!applied.workflow) throw new Error('The publication has no workflow.');
  return applied.workflow.id;
}

/** Starts a run and accompanies it to its end, printing every transition as it comes; strikes it on the way. */
export async function accompanyRun(profile: LocalProfile, workflowId: string, source: string, out: string): Promise<MedallionRun> {
  const { api } = profile;
  const input = { source, folder: out, fromYear, pauseMs };
  const runId = await api.run(workflowId, input, { 'idempotency-key': `demo-${Date.now()}` });
  const folder = join(out, runId);
  fact('run', runId);
  line();
  const streamed: Transition[] = [];
  const live = printLive(api, runId, streamed);
  const unstruck = live.then(() => Promise.reject(new Error(`The run ended before it was struck: ${streamed.at(-1)?.newState}.`)));
  const strikes = await Promise.race([strike(profile, runId, folder), unstruck]);
  await live;
  const { items } = expectStatus(await api.request<Page<Transition>>('GET', `${paths.transitions(runId)}?limit=200`), 200);
  const explanation = expectStatus(await api.request<Explanation>('GET', paths.explain(runId)), 200);
  const { output } = expectStatus(await api.request<StepDetail>('GET', paths.step(runId, strikes.step)), 200);
  const { slicesReused } = z.object({ slicesReused: z.int() }).parse(output);
  return { detail: await api.detail(runId), transitions: items, streamed, strikes, slicesReused, explanation };
}

async function printLive(api: ApiClient, runId: string, streamed: Transition[]): Promise<void> {
  for await (const transition of followRun(api, runId)) {
    streamed.push(transition);
    const since = Date.parse(transition.transitionedAt) - Date.parse(streamed[0]?.transitionedAt ?? transition.transitionedAt);
    const name = (transition.step ?? 'run').padEnd(14);
    const attempt = (transition.attempt ?? 1) > 1 ? ` attempt ${transition.attempt}` : '';
    const reason = transition.reason ? ` (${transition.reason})` : '';
    line(`${seconds(since)} ${name} ${inStateColour(transition.newState)}${attempt}${reason}`);
  }
}

function expectStatus<Body>({ status, body }: Answer<Body>, expected: number): Body {
  if (status !== expected) throw new Error(`The API answered ${status} instead of ${expected}: ${JSON.stringify(body)}`);
  return body;
}
