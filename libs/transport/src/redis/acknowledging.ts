import type { ChainableCommander, Redis } from 'ioredis';
import type { Delivery } from '../stream-transport.ts';
import { answers } from './reply.ts';
import { byStream, type StreamKeys } from './stream-keys.ts';

/** XACK and XDEL belong together: an entry that is acknowledged but stays would fill the stream for ever. */
export function addAcks(pipeline: ChainableCommander, keys: StreamKeys, deliveries: readonly Delivery[], group: string): void {
  for (const [stream, done] of byStream(deliveries)) {
    const ids = done.map(({ id }) => id);
    pipeline.xack(keys.of(stream), group, ...ids);
    pipeline.xdel(keys.of(stream), ...ids);
  }
}

/** One transaction per stream, in one round trip. */
export async function acknowledge(redis: Redis, keys: StreamKeys, deliveries: readonly Delivery[], group: string): Promise<void> {
  if (deliveries.length === 0) return;
  const pipeline = redis.pipeline();
  for (const done of byStream(deliveries).values()) {
    pipeline.call('MULTI');
    addAcks(pipeline, keys, done, group);
    pipeline.call('EXEC');
  }
  await answers(pipeline);
}
