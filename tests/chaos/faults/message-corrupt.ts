import type { Redis } from 'ioredis';
import { performance } from 'node:perf_hooks';
import type { Fault, Measures, Random, World } from '../world/types.ts';
import { FORMS, apart, brokenMessage, sampleOf } from './message-forms.ts';
import { KINDS, addMessages, copyMessages, epochOf, keyOf, withRedis, type Copied, type Kind } from './message-tap.ts';

const LISTEN_MS = 500;
const COPIES_MAX = 200;
const BROKEN_OF_A_KIND = 250;
const HUGE_BYTES = 5 * 1024 * 1024;
/** Five deliveries with growing pauses between them, and a queue before it. */
const BURIED_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 250;

/** What a stream was given, up to which id, and how many letters it had buried before. */
interface Given {
  readonly key: string;
  readonly lastId: string;
  readonly buried: number;
  readonly broken: number;
}

/** A thousand broken messages, of every form, in all four streams: each is a dead letter in the end, and the good ones beside it go on. */
export const messageCorrupt: Fault = {
  id: 'F28',
  name: 'message-corrupt',
  targets: 'message',
  inflict: async (world, random) => {
    const given = await withRedis(world, async (redis) => {
      const copies = await copyMessages(redis, LISTEN_MS, COPIES_MAX);
      const epoch = await epochOf(redis);
      const poured: Given[] = [];
      for (const kind of KINDS) poured.push(await pour(redis, kind, epoch, brokenOnes(kind, copies, epoch, random)));
      return poured;
    });
    const began = performance.now();
    return {
      what: `${given.reduce((sum, { broken }) => sum + broken, 0)} broken messages in ${KINDS.length} streams`,
      holdMs: 500,
      heal: () => awaitBurials(world, given, began),
    };
  },
};

/** Entries of 5 MB, and entries without the field that carries a body. */
export const messageHuge: Fault = {
  id: 'F28',
  name: 'message-huge',
  targets: 'message',
  inflict: async (world, random) => {
    const given = await withRedis(world, async (redis) => {
      const epoch = await epochOf(redis);
      const poured: Given[] = [];
      for (const kind of KINDS) poured.push(await pourHuge(redis, kind, epoch, random));
      return poured;
    });
    const began = performance.now();
    return {
      what: `entries of ${HUGE_BYTES} bytes and foreign entries in 4 streams`,
      holdMs: 500,
      heal: () => awaitBurials(world, given, began),
    };
  },
};

/** Reports that passed come again by the stream of another deployment: their runs are none of its business. */
export const messageForeign: Fault = {
  id: 'F28',
  name: 'message-foreign',
  targets: 'message',
  inflict: async (world, random) => {
    const other = await anotherDeployment(world, random);
    const sent = await withRedis(world, async (redis) => {
      const epoch = await epochOf(redis);
      const copies = (await copyMessages(redis, 1_500, COPIES_MAX)).filter(({ kind }) => kind === 'reports' || kind === 'heartbeats');
      await addMessages(
        redis,
        copies.map(({ kind, body }) => ({
          key: keyOf(epoch, kind, other),
          body: body.replaceAll('"outcome":"succeeded"', '"outcome":"failed"'),
        })),
      );
      return copies.length;
    });
    return { what: `${sent} messages came by the streams of ${other}`, holdMs: 2_000, heal: () => Promise.resolve({ sent }) };
  },
};

function brokenOnes(kind: Kind, copies: readonly Copied[], epoch: number, random: Random): string[] {
  const good = copies.filter((copy) => copy.kind === kind).flatMap(({ body }) => apart(body));
  const forms = Object.keys(FORMS);
  return Array.from({ length: BROKEN_OF_A_KIND }, () =>
    brokenMessage(kind, good.length > 0 ? random.pick(good) : sampleOf(kind, epoch), random.pick(forms), random),
  );
}

async function pour(redis: Redis, kind: Kind, epoch: number, bodies: readonly string[]): Promise<Given> {
  const key = keyOf(epoch, kind);
  const buried = await redis.xlen(`${key}:dead`);
  await addMessages(
    redis,
    bodies.map((body) => ({ key, body })),
  );
  return { key, buried, lastId: await lastIdOf(redis, key), broken: bodies.length };
}

async function pourHuge(redis: Redis, kind: Kind, epoch: number, random: Random): Promise<Given> {
  const key = keyOf(epoch, kind);
  const buried = await redis.xlen(`${key}:dead`);
  await redis.xadd(key, '*', 'b', String.fromCharCode(random.int(97, 122)).repeat(HUGE_BYTES));
  await redis.xadd(key, '*', 'b', `{"v":1,"text":"${'y'.repeat(HUGE_BYTES)}"}`);
  await redis.xadd(key, '*', 'payload', 'without a body');
  await redis.xadd(key, '*', 'b', '', 'c', 'd', 'e', 'f');
  return { key, buried, lastId: await lastIdOf(redis, key), broken: 4 };
}

async function lastIdOf(redis: Redis, key: string): Promise<string> {
  const [last] = await redis.xrevrange(key, '+', '-', 'COUNT', 1);
  return last?.[0] ?? '0-0';
}

/**
 * Waits until none of the streams holds what was poured in: broken ones are buried, and those that are whole but speak of nothing are settled.
 * Redis may be emptied meanwhile: then nothing is left to wait for.
 */
async function awaitBurials(world: World, given: readonly Given[], since: number): Promise<Measures> {
  let seen: Seen = { left: -1, buried: 0 };
  while (performance.now() - since < BURIED_WITHIN_MS) {
    seen = await withRedis(world, (redis) => look(redis, given)).catch(() => seen);
    if (seen.left === 0) return { buried: seen.buried, buriedAfterMs: Math.round(performance.now() - since) };
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  return { buried: seen.buried, entriesLeft: seen.left };
}

interface Seen {
  readonly left: number;
  readonly buried: number;
}

/** What a group acknowledged is deleted: an entry of that time that is still there has not been settled. */
async function look(redis: Redis, given: readonly Given[]): Promise<Seen> {
  const all = await Promise.all(
    given.map(async ({ key, lastId, buried }) => ({
      left: (await redis.xrange(key, '-', lastId, 'COUNT', 1_000)).length,
      buried: Math.max(0, (await redis.xlen(`${key}:dead`)) - buried),
    })),
  );
  return { left: all.reduce((sum, { left }) => sum + left, 0), buried: all.reduce((sum, { buried }) => sum + buried, 0) };
}

async function anotherDeployment(world: World, random: Random): Promise<string> {
  const rows = await world.postgres.sql<{ name: string }>(
    `select name from deployments where name not like 'flowforge-medallion/%' order by name`,
  );
  return rows.length > 0 ? random.pick(rows).name : 'elsewhere';
}
