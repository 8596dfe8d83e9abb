import type { Redis } from 'ioredis';
import type { Fault, Random } from '../world/types.ts';
import { shuffled } from './process-choice.ts';
import { addMessages, copyMessages, epochOf, withRedis, type Copied } from './message-tap.ts';

const LISTEN_MS = 1_500;
const COPIES_MAX = 300;
const TIMES = 10;
const LEASES_LATE = 10;

/** Everything that passed for a while comes ten times more, in any order. */
export const messageRepeat: Fault = {
  id: 'F27',
  name: 'message-repeat',
  targets: 'message',
  inflict: (world, random) =>
    withRedis(world, async (redis) => {
      const copies = await copyMessages(redis, LISTEN_MS, COPIES_MAX);
      const again = shuffled(Array.from({ length: TIMES }, () => copies).flat(), random);
      await addMessages(redis, again);
      return { what: `${copies.length} messages came ${TIMES} times more, in any order`, holdMs: 500, heal: () => counted(copies) };
    }),
};

/** Everything that passed for a while comes once more, ten leases later. */
export const messageLate: Fault = {
  id: 'F27',
  name: 'message-late',
  targets: 'message',
  inflict: async (world, random) => {
    const copies = await withRedis(world, (redis) => copyMessages(redis, LISTEN_MS, COPIES_MAX));
    return {
      what: `${copies.length} messages come once more after ${LEASES_LATE} leases`,
      holdMs: Math.round(world.times.leaseSeconds * LEASES_LATE * 1_000),
      heal: async () => {
        await withRedis(world, (redis) => addMessages(redis, shuffled(copies, random)));
        return await counted(copies);
      },
    };
  },
};

/** What passed comes again under another epoch: in its own streams with a forged token, and in the streams of an earlier epoch. */
export const messageEpoch: Fault = {
  id: 'F27',
  name: 'message-other-epoch',
  targets: 'message',
  inflict: async (world, random) => {
    const { copies, foreign } = await withRedis(world, (redis) => addOtherEpochs(redis, random));
    return {
      what: `${copies.length} messages came again under other epochs`,
      holdMs: 1_000,
      heal: async () => {
        await withRedis(world, (redis) => (foreign.length > 0 ? redis.del(...foreign) : Promise.resolve(0)));
        return await counted(copies);
      },
    };
  },
};

async function addOtherEpochs(redis: Redis, random: Random) {
  const epoch = await epochOf(redis);
  const copies = await copyMessages(redis, LISTEN_MS, COPIES_MAX);
  const others = [...new Set([epoch - 1, epoch + 1])].filter((other) => other > 0);
  const forged = copies.map(({ key, body }) => ({ key, body: body.replaceAll(/"epoch":\d+/g, `"epoch":${random.pick(others)}`) }));
  // Never the streams of an epoch that may still come: they are removed afterwards.
  const elsewhere = copies.map(({ key, body }) => ({ key: key.replace(/^ff:\d+:/, `ff:${epoch - 1}:`), body }));
  await addMessages(redis, [...forged, ...elsewhere]);
  return { copies, foreign: [...new Set(elsewhere.map(({ key }) => key))] };
}

function counted(copies: readonly Copied[]): Promise<Record<string, number>> {
  const kinds = Map.groupBy(copies, ({ kind }) => kind);
  return Promise.resolve(Object.fromEntries([...kinds].map(([kind, of]) => [kind, of.length])));
}
