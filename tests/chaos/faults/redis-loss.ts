import type { Fault, Measures, Random, World } from '../world/types.ts';

/** Data of Redis goes at once, and nobody is told. */
function losing(name: string, lose: (world: World, random: Random) => Promise<string>): Fault {
  return {
    id: 'F09',
    name,
    targets: 'redis',
    inflict: async (world, random) => {
      const what = await lose(world, random);
      return { what, holdMs: 0, heal: () => Promise.resolve({} satisfies Measures) };
    },
  };
}

/** The streams of all kinds, in a fixed order; with `part` only those whose key has it. */
async function streamsOf(world: World, part = ''): Promise<string[]> {
  const found: string[] = [];
  for (let cursor = '0'; ;) {
    const answer = await world.redis.command('SCAN', cursor, 'TYPE', 'stream', 'COUNT', 1_000);
    const [next, keys] = answer as [string, string[]];
    found.push(...keys);
    if (next === '0') return found.filter((key) => key.includes(part)).sort();
    cursor = next;
  }
}

/** One that something has gone through, where there is one: the streams of deployments without work matter little. */
async function pickStream(world: World, random: Random): Promise<string | undefined> {
  const streams = await streamsOf(world);
  const used: string[] = [];
  for (const stream of streams) {
    const [, lastId] = pairsOf(await world.redis.command('XINFO', 'STREAM', stream)).find(([name]) => name === 'last-generated-id') ?? [];
    if (lastId !== '0-0') used.push(stream);
  }
  const candidates = used.length > 0 ? used : streams;
  return candidates.length === 0 ? undefined : random.pick(candidates);
}

/** What Redis tells as a list of names and values in turn. */
function pairsOf(answer: unknown): readonly (readonly [unknown, unknown])[] {
  const words = Array.isArray(answer) ? answer : [];
  return words.flatMap((name, at) => (at % 2 === 0 ? [[name, words[at + 1]] as const] : []));
}

const NOTHING = 'found no stream to lose';

export const redisLosses: readonly Fault[] = [
  losing('redis-flushall', async (world) => {
    const keys = await world.redis.command('DBSIZE');
    await world.redis.command('FLUSHALL');
    return `FLUSHALL of ${String(keys)} keys`;
  }),
  losing('redis-flushdb', async (world) => {
    await world.redis.command('FLUSHDB', 'ASYNC');
    return 'FLUSHDB ASYNC';
  }),
  losing('redis-del-stream', async (world, random) => {
    const stream = await pickStream(world, random);
    if (stream === undefined) return NOTHING;
    await world.redis.command('DEL', stream);
    return `DEL ${stream}`;
  }),
  losing('redis-del-tasks', async (world) => {
    const streams = await streamsOf(world, 'tasks:');
    if (streams.length === 0) return NOTHING;
    await world.redis.command('DEL', ...streams);
    return `DEL ${streams.join(' ')}`;
  }),
  losing('redis-group-destroy', async (world, random) => {
    const stream = await pickStream(world, random);
    if (stream === undefined) return NOTHING;
    const groups = (await world.redis.command('XINFO', 'GROUPS', stream)) as unknown[][];
    const names = groups.map((group) => String(group[1]));
    for (const name of names) await world.redis.command('XGROUP', 'DESTROY', stream, name);
    return `XGROUP DESTROY ${stream} ${names.join(' ')}`;
  }),
  losing('redis-trim', async (world) => {
    const streams = await streamsOf(world);
    let trimmed = 0;
    for (const stream of streams) trimmed += Number(await world.redis.command('XTRIM', stream, 'MAXLEN', 0));
    return `XTRIM 0 of ${streams.length} streams with ${trimmed} entries`;
  }),
];
