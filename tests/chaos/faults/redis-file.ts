import { open, readdir, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import type { Fault, Random, World } from '../world/types.ts';
import { removeAppendOnlyFiles } from './redis-crash.ts';
import { millisecondsOf } from './server-times.ts';

const TAIL_BYTES_MAX = 20_000;

/** The tail of the append-only file is gone, as after a power loss: the newest part, or about a third. */
const redisTailCut: Fault = {
  id: 'F10',
  name: 'redis-aof-tail',
  targets: 'redis',
  inflict: async (world, random) => {
    await world.redis.kill();
    const { path, size } = await appendOnlyFile(world);
    const cut = random.chance(0.5) ? Math.floor(size * 0.3) : Math.min(size, random.int(1, TAIL_BYTES_MAX));
    await truncate(path, size - cut);
    return {
      what: `cut ${cut} of ${size} bytes from the end of Redis's file`,
      holdMs: random.int(100, 1_500),
      heal: async () => ({ startMs: await millisecondsOf(() => world.redis.start()) }),
    };
  },
};

/** A byte in the file is another one: Redis refuses to start. The file is thrown away, all is lost, and it starts again. */
const redisByteFlipped: Fault = {
  id: 'F10',
  name: 'redis-aof-byte',
  targets: 'redis',
  inflict: async (world, random) => {
    await world.redis.kill();
    const where = await spoil(await appendOnlyFile(world), random);
    const refused = await world.redis.start().then(
      () => 'no',
      () => 'yes',
    );
    return {
      what: `${where}; Redis ${refused === 'yes' ? 'refuses to start' : 'starts all the same'}`,
      holdMs: random.int(100, 1_500),
      heal: async () => {
        if (refused === 'no') return { refused };
        await removeAppendOnlyFiles(world);
        return { refused, startMs: await millisecondsOf(() => world.redis.start()) };
      },
    };
  },
};

interface AppendOnlyFile {
  readonly path: string;
  readonly size: number;
}

/** The newest part that grows; its base, made at the last rewrite, stays. */
async function appendOnlyFile(world: World): Promise<AppendOnlyFile> {
  const folder = join(world.redis.primary.folder, 'appendonlydir');
  const parts = (await readdir(folder)).filter((name) => name.endsWith('.incr.aof')).sort(byNumber);
  const path = join(folder, parts.at(-1) ?? '');
  return { path, size: (await stat(path)).size };
}

function byNumber(one: string, other: string): number {
  const number = (name: string) => Number(/\.(\d+)\.incr/.exec(name)?.[1] ?? 0);
  return number(one) - number(other);
}

/** A letter where the length of a word begins: what follows cannot be read any more. */
async function spoil({ path, size }: AppendOnlyFile, random: Random): Promise<string> {
  const file = await open(path, 'r+');
  try {
    const from = random.int(0, Math.floor(size / 2));
    const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(size - from, 1_000_000)), 0, null, from);
    const at = buffer.subarray(0, bytesRead).indexOf('\r\n$');
    if (at === -1) return 'found no byte to spoil';
    await file.write('#', from + at + 2);
    return `spoilt byte ${from + at + 2} of ${size} in Redis's file`;
  } finally {
    await file.close();
  }
}

export const redisFileFaults: readonly Fault[] = [redisTailCut, redisByteFlipped];
