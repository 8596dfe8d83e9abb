import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { paths, type CreatedApiKey } from '#contracts';
import { ApiClient } from '../../harness/api-client.ts';
import { SINGLE_STEP } from '../../harness/definitions.ts';
import { FaultNotPossible, type Fault, type World } from '../world/types.ts';
import { endOfOwnRun } from './step-runs.ts';

/** How long a revoked key may still be believed by an api that looked it up before. */
const REFUSED_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 100;

/** A caller's key is replaced and revoked while a run that it started is under way: the run ends, the new key works, the old one is refused. */
export const keyRotation: Fault = {
  id: 'F44',
  name: 'key-rotation',
  targets: 'outside',
  inflict: async (world) => {
    const old = await newKey(world);
    const byOld = new ApiClient(world.apiUrl(), old.key);
    const runId = await ask(async () => byOld.run(await byOld.apply(SINGLE_STEP)));
    const fresh = await newKey(world);
    await ask(() => new ApiClient(world.apiUrl(), world.token).request('DELETE', paths.apiKey(old.id)));
    const revoked = performance.now();
    return {
      what: `key ${old.id} was replaced by ${fresh.id} and revoked`,
      holdMs: 0,
      heal: async () => {
        const refusedAfterMs = await untilRefused(byOld, revoked);
        const { state } = await endOfOwnRun(world, runId);
        const { status } = await new ApiClient(world.apiUrl(), fresh.key).request('GET', paths.runs);
        await new ApiClient(world.apiUrl(), world.token).request('DELETE', paths.apiKey(fresh.id));
        return { refusedAfterMs, state, newKeyAnswered: status };
      },
    };
  },
};

async function newKey(world: World): Promise<CreatedApiKey> {
  const { status, body } = await ask(() =>
    new ApiClient(world.apiUrl(), world.token).request<CreatedApiKey>('POST', paths.apiKeys, { name: 'chaos', role: 'admin' }),
  );
  if (status !== 201) throw new FaultNotPossible(`The api makes no key: ${status}.`);
  return body;
}

async function untilRefused(client: ApiClient, since: number): Promise<number | string> {
  while (performance.now() - since < REFUSED_WITHIN_MS) {
    const status = await client.request('GET', paths.runs).then(
      (answer) => answer.status,
      () => 0,
    );
    if (status === 401) return Math.round(performance.now() - since);
    await sleep(LOOK_EVERY_MS);
  }
  return `not within ${REFUSED_WITHIN_MS} ms`;
}

/** Another fault may have taken the api away at this moment. */
async function ask<T>(request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    throw new FaultNotPossible(`The api does not answer: ${String(error)}`);
  }
}
