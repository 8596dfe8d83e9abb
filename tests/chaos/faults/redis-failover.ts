import type { Fault, LinkName, Random, World } from '../world/types.ts';
import { commandAt } from '../world/redis-pair.ts';
import { shuffled } from './process-choice.ts';
import { letPass, millisecondsOf } from './server-times.ts';

/** Writes go on for a while that the replica never hears of. */
async function cutReplicaOff(world: World, random: Random): Promise<number> {
  world.link('replica > redis').blackhole();
  await letPass(random.int(500, 2_500));
  return (await offsetOf(world.redis.primary.url)) - (await offsetOf(world.redis.replica.url));
}

async function offsetOf(url: string): Promise<number> {
  const text = String(await commandAt(url, ['INFO', 'replication']));
  const [, replica] = /slave_repl_offset:(\d+)/.exec(text) ?? [];
  const [, primary] = /master_repl_offset:(\d+)/.exec(text) ?? [];
  return Number(replica ?? primary ?? 0);
}

async function healTogether(world: World): Promise<{ reunitedMs: number }> {
  world.link('replica > redis').heal();
  return { reunitedMs: await millisecondsOf(() => world.redis.reunite()) };
}

/** The primary dies, and the replica that takes its place has not got all that was acknowledged. */
const redisFailover: Fault = {
  id: 'F11',
  name: 'redis-failover',
  targets: 'redis',
  inflict: async (world, random) => {
    const lostBytes = await cutReplicaOff(world, random);
    await world.redis.kill();
    await letPass(random.int(100, 1_000));
    await world.redis.promote();
    return {
      what: `the replica took over without the last ${lostBytes} bytes that were acknowledged`,
      holdMs: random.int(500, 2_000),
      heal: async () => ({ lostBytes, ...(await healTogether(world)) }),
    };
  },
};

/** Both are primary: some members stay with the old one, the others talk to the new one. */
const redisTwoMasters: Fault = {
  id: 'F12',
  name: 'redis-two-masters',
  targets: 'redis',
  inflict: async (world, random) => {
    await cutReplicaOff(world, random);
    const names = memberLinks(world);
    const moved = shuffled(names, random).slice(0, random.int(1, names.length - 1));
    await world.redis.promote(moved);
    return {
      what: `two primaries: ${moved.join(', ')} of ${names.length} went to the new one`,
      holdMs: random.int(1_000, 5_000),
      heal: () => healTogether(world),
    };
  },
};

/** All went to the new primary, then all go back to the old one: what it has is old news. */
const redisOldPrimary: Fault = {
  id: 'F12',
  name: 'redis-old-primary',
  targets: 'redis',
  inflict: async (world, random) => {
    await cutReplicaOff(world, random);
    await world.redis.promote();
    return {
      what: 'the replica took over; the old primary comes back as it was',
      holdMs: random.int(1_000, 5_000),
      heal: async () => {
        await world.redis.promote();
        return await healTogether(world);
      },
    };
  },
};

function memberLinks(world: World): readonly LinkName[] {
  return world.linkNames('> redis').filter((name) => name !== 'replica > redis');
}

export const redisFailovers: readonly Fault[] = [redisFailover, redisTwoMasters, redisOldPrimary];
