import type { Fault, Random, World } from '../world/types.ts';
import { letPass } from './server-times.ts';

/** Redis has no memory left and refuses every write, until it has again. */
const redisMemory: Fault = {
  id: 'F15',
  name: 'redis-maxmemory',
  targets: 'redis',
  inflict: async (world, random) => {
    await world.redis.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    await world.redis.command('CONFIG', 'SET', 'maxmemory', 1);
    return {
      what: 'Redis has no memory for writes',
      holdMs: random.int(1_000, 6_000),
      heal: async () => {
        await world.redis.command('CONFIG', 'SET', 'maxmemory', 0);
      },
    };
  },
};

/** A fault that ends by itself: `cause` returns what it did and how long that lasts. */
function passing(name: string, cause: (world: World, random: Random) => Promise<{ what: string; holdMs: number }>): Fault {
  return {
    id: 'F17',
    name,
    targets: 'redis',
    inflict: async (world, random) => ({ ...(await cause(world, random)), heal: () => Promise.resolve() }),
  };
}

const redisSleep = passing('redis-sleep', async (world, random) => {
  const seconds = random.int(20, 50) / 10;
  void world.redis.command('DEBUG', 'SLEEP', seconds).catch(() => undefined);
  await letPass(50);
  return { what: `Redis does nothing for ${seconds} s`, holdMs: seconds * 1_000 };
});

const redisPause = passing('redis-pause', async (world, random) => {
  const ms = random.int(1_000, 5_000);
  const mode = random.pick(['ALL', 'WRITE']);
  await world.redis.command('CLIENT', 'PAUSE', ms, mode);
  return { what: `CLIENT PAUSE ${ms} ${mode}`, holdMs: ms };
});

const redisClientKill = passing('redis-client-kill', async (world, random) => {
  const kind = random.pick(['normal', 'pubsub', 'both']);
  const times = random.int(1, 5);
  let killed = 0;
  for (let time = 0; time < times; time += 1) {
    for (const type of kind === 'both' ? ['normal', 'pubsub'] : [kind])
      killed += Number(await world.redis.command('CLIENT', 'KILL', 'TYPE', type));
    await letPass(200);
  }
  return { what: `CLIENT KILL TYPE ${kind}, ${times} times: ${killed} connections`, holdMs: 0 };
});

const HUGE_KEY = 'chaos:huge';

const redisRewrite = passing('redis-rewrite', async (world, random) => {
  const mebibytes = random.int(16, 48);
  await world.redis.command('SETRANGE', HUGE_KEY, mebibytes * 1_048_576, 'x');
  await world.redis.command('BGREWRITEAOF');
  await letPass(random.int(200, 1_000));
  await world.redis.command('DEL', HUGE_KEY);
  return { what: `rewrote Redis's file with a key of ${mebibytes} MiB in it`, holdMs: 500 };
});

export const redisSlowness: readonly Fault[] = [redisMemory, redisSleep, redisPause, redisClientKill, redisRewrite];
