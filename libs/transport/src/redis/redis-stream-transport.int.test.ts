import { Redis } from 'ioredis';
import { startRedis } from '#testing';
import { describeStreamTransport } from '../../conformance/conformance.ts';
import { GROUP, type TransportOptions } from '../../conformance/harness.ts';
import type { StreamTransport } from '../stream-transport.ts';
import { RedisStreamTransport } from './redis-stream-transport.ts';

const keyOf = (name: string) => `conformance:{one}:${name}`;

describeStreamTransport('redis', async () => {
  // Its own server: the suite empties it.
  const server = await startRedis({ own: true });
  const redis = new Redis(server.url);
  const made: StreamTransport[] = [];
  return {
    transport: (options: TransportOptions = {}) => {
      const transport = new RedisStreamTransport({ url: server.url, keyOf, closeGraceMs: 50, ...options });
      made.push(transport);
      return transport;
    },
    takeAndVanish: async (stream, count) => {
      await redis.xgroup('CREATE', keyOf(stream), GROUP, '0', 'MKSTREAM').catch(() => undefined);
      await redis.xreadgroup('GROUP', GROUP, 'ghost', 'COUNT', count, 'STREAMS', keyOf(stream), '>');
    },
    flush: async () => {
      await redis.flushall();
    },
    drop: async (stream) => {
      await redis.del(keyOf(stream));
    },
    dropGroup: async (stream) => {
      await redis.xgroup('DESTROY', keyOf(stream), GROUP);
    },
    close: async () => {
      await Promise.all(made.map((transport) => transport.close()));
      redis.disconnect();
      await server.stop();
    },
  };
});
