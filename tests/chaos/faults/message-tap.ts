import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import { epochKey, redisKey, streams } from '#contracts';
import { SERVED_DEPLOYMENT } from '../../harness/stack.ts';
import { FaultNotPossible, type World } from '../world/types.ts';

export const KINDS = ['tasks', 'reports', 'heartbeats', 'logs'] as const;
export type Kind = (typeof KINDS)[number];

/** What someone added to a stream, seen at the server. */
export interface Copied {
  readonly kind: Kind;
  readonly key: string;
  readonly body: string;
}

/** Entries that one pipeline adds, so that no answer is awaited for each and the server is not held up by one. */
const PORTION = 200;

/** Works with a client of our own on the present primary. Throws `FaultNotPossible` when there is none to speak to. */
export async function withRedis<T>(world: World, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(world.redis.url, {
    maxRetriesPerRequest: 1,
    connectTimeout: 2_000,
    retryStrategy: () => null,
    lazyConnect: true,
  });
  redis.on('error', () => undefined);
  try {
    await redis.connect().catch(() => {
      throw new FaultNotPossible('Redis is away at this moment.');
    });
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

export async function epochOf(redis: Redis): Promise<number> {
  return Number(await redis.get(epochKey)) || 1;
}

/** The key of a kind's stream, of the deployment that the workers serve unless told. */
export function keyOf(epoch: number, kind: Kind, deployment: string = SERVED_DEPLOYMENT): string {
  return redisKey(epoch, streams[kind](deployment));
}

/** Listens at the server for so long and copies what is added to streams, at most `copiesMax`. */
export async function copyMessages(redis: Redis, forMs: number, copiesMax: number): Promise<Copied[]> {
  const copies: Copied[] = [];
  // A connection without a driver: in this mode the server answers without being asked.
  const monitor = connect(redis.options.port ?? 6_379, redis.options.host);
  monitor.on('error', () => undefined);
  createInterface({ input: monitor }).on('line', (line) => {
    const copy = copies.length < copiesMax ? copyIn(line) : undefined;
    if (copy) copies.push(copy);
  });
  monitor.write('MONITOR\r\n');
  await new Promise((resolve) => setTimeout(resolve, forMs));
  monitor.destroy();
  return copies;
}

/** Adds bodies to streams as their writers do, in this order. */
export async function addMessages(redis: Redis, messages: readonly Omit<Copied, 'kind'>[]): Promise<void> {
  for (let at = 0; at < messages.length; at += PORTION) {
    const pipeline = redis.pipeline();
    for (const { key, body } of messages.slice(at, at + PORTION)) pipeline.xadd(key, '*', 'b', body);
    await pipeline.exec();
  }
}

/** Of a line like `+1795274131.129599 [0 127.0.0.1:53328] "xadd" "ff:1:{b9}:tasks:x" "*" "b" "{…}"`. */
function copyIn(line: string): Copied | undefined {
  const [, command, key, body] = /^\+[\d.]+ \[[^\]]*\] "(xadd)" "(ff:\d+:[^"]*)" "\*" "b" "(.*)"$/i.exec(line) ?? [];
  if (command === undefined || key === undefined || body === undefined || key.endsWith(':dead')) return undefined;
  const kind = KINDS.find((one) => key.includes(`:${one}:`));
  return kind && { kind, key, body: unescaped(body) };
}

/** As MONITOR writes bytes: `\n`, `\xff`, `\"`, `\\`. */
function unescaped(text: string): string {
  if (!text.includes('\\')) return text;
  const named: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', a: '\u0007', b: '\b' };
  const bytes = text.replaceAll(/\\(x[0-9a-f]{2}|.)/gs, (_, after: string) =>
    after.length === 3 ? String.fromCharCode(Number.parseInt(after.slice(1), 16)) : (named[after] ?? after),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
