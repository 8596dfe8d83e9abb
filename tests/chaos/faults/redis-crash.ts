import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Fault, World } from '../world/types.ts';
import { millisecondsOf } from './server-times.ts';

type AppendFsync = 'everysec' | 'always' | 'off';

/** SIGKILL to Redis, then a start from what its file kept: all or nearly all, or nothing at all where it keeps no file (`off`). */
function killing(appendfsync: AppendFsync): Fault {
  return {
    id: 'F08',
    name: `redis-kill-${appendfsync}`,
    targets: 'redis',
    inflict: async (world, random) => {
      const holdMs = random.int(200, 3_000);
      if (appendfsync !== 'off') await world.redis.command('CONFIG', 'SET', 'appendfsync', appendfsync);
      const entries = await world.redis.command('DBSIZE');
      await world.redis.kill();
      if (appendfsync === 'off') await removeAppendOnlyFiles(world);
      return {
        what: `killed Redis with ${String(entries)} keys, ${appendfsync === 'off' ? 'without a file' : `appendfsync ${appendfsync}`}`,
        holdMs,
        heal: async () => ({
          startMs: await millisecondsOf(() => world.redis.start()),
          keysLeft: Number(await world.redis.command('DBSIZE')),
        }),
      };
    },
  };
}

/** What the primary kept goes; it must be down. */
export async function removeAppendOnlyFiles(world: World): Promise<void> {
  await rm(join(world.redis.primary.folder, 'appendonlydir'), { recursive: true, force: true });
}

export const redisKills: readonly Fault[] = [killing('everysec'), killing('always'), killing('off')];
