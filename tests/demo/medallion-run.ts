import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { paths, type AppliedWorkflow, type Explanation, type RunDetail, type StepDetail, type Transition, type Page } from '#contracts';
import type { ApiClient, Answer } from '../harness/api-client.ts';
import { followRun } from './follow-run.ts';
import { killInTheMiddle, type Killed } from './kill-step.ts';
import { fact, inStateColour, line, seconds } from './printing.ts';

/** The silver branch whose process is killed. */
const killedAspect = 'money';
/** Rest between slices: the run takes long enough to be watched, and to be killed in the middle. */
const pauseMs = 90;
export const fromYear = 1990;

/** Everything the demo knows about its run once it has ended. */
export interface MedallionRun {
  readonly detail: RunDetail;
  /** As the API lists them, and as they came by the live stream. */
  readonly transitions: readonly Transition[];
  readonly streamed: readonly Transition[];
  /** `told`: what the worker reported. `slicesReused`: what the next attempt did not have to do again. */
  readonly killed: Killed & { readonly step: string; readonly told: string; readonly slicesReused: number };
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

/** Starts a run and accompanies it to its end, printing every transition as it comes; kills one step's process on the way. */
export async function accompanyRun(api: ApiClient, workflowId: string, source: string, out: string): Promise<MedallionRun> {
  const input = { source, folder: out, fromYear, pauseMs };
  const runId = await api.run(workflowId, input, { 'idempotency-key': `demo-${Date.now()}` });
  const folder = join(out, runId);
  fact('run', runId);
  line();
  const streamed: Transition[] = [];
  const [killed] = await Promise.all([killAndListen(api, runId, folder), printLive(api, runId, streamed)]);
  const { items } = expectStatus(await api.request<Page<Transition>>('GET', `${paths.transitions(runId)}?limit=200`), 200);
  const explanation = expectStatus(await api.request<Explanation>('GET', paths.explain(runId)), 200);
  const { output } = expectStatus(await api.request<StepDetail>('GET', paths.step(runId, killed.step)), 200);
  const { slicesReused } = z.object({ slicesReused: z.int() }).parse(output);
  return { detail: await api.detail(runId), transitions: items, streamed, killed: { ...killed, slicesReused }, explanation };
}

async function killAndListen(api: ApiClient, runId: string, folder: string): Promise<Omit<MedallionRun['killed'], 'slicesReused'>> {
  const step = `silver-${killedAspect}`;
  const killed = await killInTheMiddle(folder, killedAspect);
  line(`         ⚡ kill -9 ${killed.pid}, the process of ${step}, after ${killed.done} of ${killed.of} rows`);
  // The worker's account stands on the step until its next attempt succeeds.
  for (;;) {
    const { error, state } = expectStatus(await api.request<StepDetail>('GET', paths.step(runId, step)), 200);
    if (error) return { ...killed, step, told: `${error.code}: ${error.message}` };
    if (state === 'SUCCEEDED') return { ...killed, step, told: '' };
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
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
