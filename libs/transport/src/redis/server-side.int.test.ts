import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { type RedisServer, eventually, startRedis } from '#testing';
import { GROUP, Seen, consuming, entriesOf, streamName } from '../../conformance/harness.ts';
import type { TransportEvent } from '../transport-event.ts';
import { RedisStreamTransport } from './redis-stream-transport.ts';

describe('what the server sees', () => {
  let server: RedisServer;
  let redis: Redis;

  beforeAll(async () => {
    server = await startRedis({ own: true });
    redis = new Redis(server.url);
  });
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });

  it.each([
    ['one transaction when the keys share a hash tag', (name: string) => `{tag}:${name}`, ['multi', 'xadd', 'xack', 'xdel', 'exec']],
    ['first the add, then the acknowledgement, when they live apart', (name: string) => name, ['xadd', 'multi', 'xack', 'xdel', 'exec']],
  ])('answers a task in %s', async (_, keyOf, wanted) => {
    const transport = new RedisStreamTransport({ url: server.url, keyOf });
    const [tasks, answers, seen] = [streamName(), streamName(), new Seen()];
    transport.consume(consuming([tasks], { ...seen, acknowledge: 'manual' }));
    await transport.add(entriesOf(tasks, ['task']));
    await eventually(() => seen.deliveries.length === 1);
    const commands: string[] = [];
    const monitor = await redis.monitor();
    monitor.on('monitor', (_time: string, [command = '']: string[]) => commands.push(command.toLowerCase()));
    await transport.addThenAck(entriesOf(answers, ['answer']), seen.deliveries, GROUP);
    await eventually(() => commands.includes('xdel') && commands.at(commands.indexOf('xdel') + 1) === 'exec');
    monitor.disconnect();
    expect(commands.filter((command) => wanted.includes(command))).toEqual(wanted);
    await transport.close();
  });

  it('lets a producer work that may only write', async () => {
    await redis.call(
      'ACL',
      'SETUSER',
      'producer',
      'on',
      '>secret',
      'resetkeys',
      '%W~reports:*',
      '+@stream',
      '+@transaction',
      '+@connection',
      '+info',
    );
    const producer = new RedisStreamTransport({ url: `redis://producer:secret@127.0.0.1:${server.port}` });
    await producer.add(entriesOf('reports:a', ['said']));
    await expect(producer.waitingHead('reports:a', GROUP, 1)).rejects.toMatchObject({ code: 'transport.refused' });
    await expect(producer.add(entriesOf('tasks:a', ['not mine']))).rejects.toMatchObject({ code: 'transport.refused' });
    await producer.close();
    expect(await redis.xlen('reports:a')).toBe(1);
  });

  it('takes an entry of a full memory for back-pressure', async () => {
    const transport = new RedisStreamTransport({ url: server.url });
    await redis.config('SET', 'maxmemory', '1');
    await expect(transport.add(entriesOf(streamName(), ['no room']))).rejects.toMatchObject({ code: 'transport.back_pressure' });
    await redis.config('SET', 'maxmemory', '0');
    await transport.close();
  });

  it('forgets names of consumers that hold nothing and are long gone, and its own name when it stops', async () => {
    const events: TransportEvent[] = [];
    const transport = new RedisStreamTransport({ url: server.url, onEvent: (event) => events.push(event) });
    const [stream, seen] = [streamName(), new Seen()];
    await redis.xgroup('CREATE', stream, GROUP, '0', 'MKSTREAM');
    await redis.xgroup('CREATECONSUMER', stream, GROUP, 'long gone');
    const consumer = transport.consume(consuming([stream], { ...seen, consumer: 'mine', consumerIdleMs: 200 }));
    // The server lists a consumer from its first delivery on.
    await transport.add(entriesOf(stream, ['a']));
    await eventually(() => events.some((event) => event.type === 'consumer_forgotten' && event.consumer === 'long gone'));
    expect(await consumerNames(redis, stream)).toEqual(['mine']);
    await consumer.stop({ graceMs: 0 });
    expect(await consumerNames(redis, stream)).toEqual([]);
    await transport.close();
  });

  it('keeps the name of a consumer that still owns entries', async () => {
    const transport = new RedisStreamTransport({ url: server.url, closeGraceMs: 0 });
    const [stream, seen] = [streamName(), new Seen()];
    await transport.add(entriesOf(stream, ['left']));
    transport.consume(consuming([stream], { ...seen, consumer: 'mine', acknowledge: 'manual' }));
    await eventually(() => seen.deliveries.length === 1);
    await transport.close();
    // Given back at the end: owned by nobody who lives, and nothing is lost with the name.
    expect(await consumerNames(redis, stream)).toEqual(['given-back']);
    expect(await redis.xlen(stream)).toBe(1);
  });
});

async function consumerNames(redis: Redis, stream: string): Promise<readonly string[]> {
  const consumers = await redis.call('XINFO', 'CONSUMERS', stream, GROUP);
  return Array.isArray(consumers) ? consumers.map((consumer: readonly unknown[]) => String(consumer[1])) : [];
}
