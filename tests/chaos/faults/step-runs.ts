import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { paths, type RunDetail } from '#contracts';
import { eventually } from '#testing';
import { ApiClient } from '../../harness/api-client.ts';
import { FaultNotPossible, type World } from '../world/types.ts';

/** For the variable HANDLERS of the workers. */
export const STEP_HANDLERS = fileURLToPath(new URL('step-handlers.ts', import.meta.url));

const ACCEPTED_WITHIN_MS = 15_000;
const ENDED_WITHIN_MS = 60_000;
const ENDED: readonly RunDetail['state'][] = ['SUCCEEDED', 'FAILED', 'CANCELLED', 'TIMED_OUT'];

/** A workflow of one step, whose input is the run's. `more`: further members of the step. */
export function oneStep(name: string, uses: string, more = ''): string {
  return `
apiVersion: flowforge/v1
kind: Workflow
metadata: { name: chaos-${name} }
spec:
  environment: production
  steps:
    only: { uses: ${uses}, with: "\${{ input }}"${more} }
`;
}

/** A workflow of so many steps that do nothing, all at once: a run with a long history. */
export function wideRun(name: string, width: number): string {
  const steps = Array.from({ length: width }, (_, at) => `    s${at + 1}: { uses: noop }`);
  return `
apiVersion: flowforge/v1
kind: Workflow
metadata: { name: chaos-${name} }
spec:
  environment: production
  steps:
${steps.join('\n')}
`;
}

/** Publishes the workflow and starts a run of it, by the front door. Throws `FaultNotPossible` when the api does not take it. */
export async function startOwnRun(world: World, source: string, input: unknown): Promise<string> {
  const api = new ApiClient(world.apiUrl(), world.token);
  const key = randomUUID();
  try {
    return await eventually(async () => await api.run(await api.apply(source), input, { 'idempotency-key': key }), {
      within: ACCEPTED_WITHIN_MS,
      every: 250,
      what: 'a run of a fault to be accepted',
    });
  } catch (error) {
    throw new FaultNotPossible(error instanceof Error ? error.message : String(error));
  }
}

/** The state that the run ended in, and after how long; or what it is in still. */
export async function endOfOwnRun(
  world: World,
  runId: string,
  withinMs = ENDED_WITHIN_MS,
): Promise<{ state: string; endedAfterMs: number | string }> {
  const api = new ApiClient(world.apiUrl(), world.token);
  const began = performance.now();
  let state = 'unknown';
  const look = async () => {
    const { body } = await api.request<RunDetail>('GET', paths.run(runId));
    state = body.state;
    return ENDED.includes(body.state);
  };
  const ended = await eventually(look, { within: withinMs, every: 200 }).catch(() => false);
  return { state, endedAfterMs: ended ? Math.round(performance.now() - began) : `not within ${withinMs} ms` };
}
