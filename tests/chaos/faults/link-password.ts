import { performance } from 'node:perf_hooks';
import { Redis } from 'ioredis';
import type { Fault, World } from '../world/types.ts';
import { READY_WITHIN_MS, orHeal } from './process-healing.ts';
import { measured, untilLight } from './process-readiness.ts';

const RED_WITHIN_MS = 10_000;
const PASSWORD = 'chaos-rotated';

/** Redis wants a password that no member knows, and every connection is ended: nobody gets in again until it is taken back. */
export const redisPassword: Fault = {
  id: 'F44',
  name: 'redis-password',
  targets: 'redis',
  inflict: async (world, random) => {
    await orHeal(
      () => setPassword(world, PASSWORD),
      () => setPassword(world, ''),
    );
    for (const name of world.linkNames('> redis')) world.link(name).reset();
    const scheduler = random.pick(world.members('scheduler'));
    const shown = untilLight(scheduler, ['red'], RED_WITHIN_MS);
    await Promise.resolve();
    return {
      what: 'Redis wants a password that nobody knows',
      holdMs: random.int(1_000, 3_000),
      heal: async () => {
        const redAfterMs = await shown;
        const began = performance.now();
        await setPassword(world, '');
        const greenAfterMs = await untilLight(scheduler, ['green'], READY_WITHIN_MS, began);
        return { redAfterMs: measured(redAfterMs, RED_WITHIN_MS), greenAfterMs: measured(greenAfterMs, READY_WITHIN_MS) };
      },
    };
  },
};

/** A server that wants none takes any: so the client always gives the one that may be set. */
async function setPassword(world: World, password: string): Promise<void> {
  const client = new Redis(world.redis.url, {
    lazyConnect: true,
    enableReadyCheck: false,
    retryStrategy: () => null,
    connectTimeout: 2_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.auth(PASSWORD).catch(() => undefined);
    await client.config('SET', 'requirepass', password);
  } finally {
    client.disconnect();
  }
}
