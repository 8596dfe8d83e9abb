import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type RedisServer, TcpProxy, eventually, startRedis } from '#testing';
import { GROUP, Seen, consuming, entriesOf, numbers, streamName } from '../../conformance/harness.ts';
import type { TransportEvent } from '../transport-event.ts';
import type { RedisStreamOptions } from './redis-options.ts';
import { RedisStreamTransport } from './redis-stream-transport.ts';

describe('the link to the server', () => {
  let server: RedisServer;
  let proxy: TcpProxy;
  let made: RedisStreamTransport[] = [];

  beforeAll(async () => {
    server = await startRedis({ own: true });
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    proxy = await TcpProxy.listen(server.port);
  });
  afterEach(async () => {
    await Promise.all(made.map((transport) => transport.close()));
    made = [];
    await proxy.close();
  });

  function behindProxy(options: Partial<RedisStreamOptions> = {}): { transport: RedisStreamTransport; events: TransportEvent[] } {
    const events: TransportEvent[] = [];
    const onEvent = (event: TransportEvent) => events.push(event);
    const short = { pingMs: 50, pingTimeoutMs: 200, closeGraceMs: 50, commandTimeoutMs: 3_000 };
    const transport = new RedisStreamTransport({ url: proxy.url, ...short, onEvent, ...options });
    made.push(transport);
    return { transport, events };
  }

  it('handles everything that was accepted when connections are cut again and again', async () => {
    const { transport, events } = behindProxy();
    const [stream, seen] = [streamName(), new Seen()];
    transport.consume(consuming([stream], { ...seen, batchMax: 10 }));
    for (let i = 0; i < 40; i += 1) {
      if (i % 10 === 5) proxy.cut();
      await transport.add(entriesOf(stream, numbers(10, `${i}-`)));
    }
    await eventually(() => new Set(seen.bodies).size === 400);
    await eventually(async () => (await transport.depth(stream, GROUP)).length === 0);
    expect(events.map(({ type }) => type)).toContain('reconnected');
  });

  it('notices links that fell silent, says so, and heals them', async () => {
    const { transport, events } = behindProxy();
    const [stream, seen] = [streamName(), new Seen()];
    transport.consume(consuming([stream], { ...seen, blockMs: 100 }));
    await transport.add(entriesOf(stream, ['before']));
    await eventually(() => seen.bodies.length === 1);
    expect(transport.health.connected).toBe(true);
    proxy.blackhole();
    await eventually(() => new Set(halfOpenLinks(events)).size === 2);
    expect(halfOpenLinks(events)).toEqual(expect.arrayContaining(['data', 'reader']));
    await eventually(() => !transport.health.connected);
    proxy.heal();
    await eventually(() => transport.health.connected, { within: 10_000 });
    await transport.add(entriesOf(stream, ['after']));
    await eventually(() => seen.bodies.includes('after'), { within: 10_000 });
  });

  it('tells how long deliveries have stood, and how long nothing was read', async () => {
    const { transport } = behindProxy();
    const [stream, seen] = [streamName(), new Seen()];
    const consumer = transport.consume(consuming([stream], { ...seen, acknowledge: 'manual', blockMs: 100 }));
    expect(consumer.progress.standingMs).toBe(0);
    await transport.add(entriesOf(stream, ['held']));
    await eventually(() => consumer.progress.standingMs > 200, { what: 'the delivery to stand' });
    expect(consumer.progress.unreadMs).toBeLessThan(5_000);
    await transport.ack(seen.deliveries, GROUP);
    expect(consumer.progress.standingMs).toBe(0);
    proxy.blackhole();
    await eventually(() => consumer.progress.unreadMs > 500, { what: 'the reading to stand' });
    proxy.heal();
    await eventually(() => consumer.progress.unreadMs < 500, { within: 10_000, what: 'the reading to go on' });
  });

  it('fails calls within their time while the server is silent', async () => {
    const { transport } = behindProxy({ commandTimeoutMs: 400 });
    const stream = streamName();
    await transport.add(entriesOf(stream, ['before']));
    await transport.ping(200);
    proxy.blackhole();
    const began = performance.now();
    const unreachable = { code: 'transport.unreachable' };
    await Promise.all([
      expect(transport.add(entriesOf(stream, ['lost']))).rejects.toMatchObject(unreachable),
      expect(transport.depth(stream, GROUP)).rejects.toMatchObject(unreachable),
      expect(transport.ping(200)).rejects.toMatchObject(unreachable),
    ]);
    // Each waits 400 ms; without a bound they would wait for the test's end.
    expect(performance.now() - began).toBeLessThan(10_000);
    proxy.heal();
    await eventually(() => transport.ping(200).then((ms) => ms < 200), { within: 10_000 });
  });

  it('takes what the server delivered into a connection that broke, without waiting for the reclaim', async () => {
    const { transport } = behindProxy();
    const producer = new RedisStreamTransport({ url: server.url });
    made.push(producer);
    const [stream, seen] = [streamName(), new Seen()];
    transport.consume(consuming([stream], { ...seen, reclaimIdleMs: 600_000 }));
    await producer.add(entriesOf(stream, ['first']));
    await eventually(() => seen.bodies.length === 1);
    // The answer with the delivery is still on its way when the connection ends.
    proxy.latency = 150;
    await producer.add(entriesOf(stream, ['in the broken answer']));
    await eventually(async () => (await producer.depth(stream, GROUP)).pending === 1);
    proxy.cut();
    proxy.latency = 0;
    await eventually(() => seen.bodies.length === 2);
    expect(seen.deliveries[1]).toMatchObject({ body: 'in the broken answer', deliveries: 2 });
  });

  it('closes in bounded time and leaves no handle, though the server is silent', async () => {
    const before = sockets();
    const { transport } = behindProxy();
    const [stream, seen] = [streamName(), new Seen()];
    transport.consume(consuming([stream], { ...seen, acknowledge: 'manual', blockMs: 100 }));
    await transport.add(entriesOf(stream, ['held']));
    await eventually(() => seen.bodies.length === 1);
    await transport.ping(1_000);
    expect(sockets()).toBeGreaterThan(before);
    proxy.blackhole();
    await transport.close();
    await transport.close();
    await proxy.close();
    proxy = await TcpProxy.listen(server.port);
    await eventually(() => sockets() <= before);
  });
});

describe('a server that dies', () => {
  it('is killed and restarted with its append-only file: nothing that was accepted is lost', async () => {
    const server = await startRedis({ appendonly: true });
    const transport = new RedisStreamTransport({ url: server.url, commandTimeoutMs: 20_000 });
    const [stream, seen] = [streamName(), new Seen()];
    transport.consume(consuming([stream], { ...seen, batchMax: 10 }));
    const adding = (async () => {
      for (let i = 0; i < 300; i += 1) await transport.add(entriesOf(stream, numbers(10, `${i}-`)));
    })();
    await eventually(() => seen.bodies.length > 300);
    await server.kill();
    await server.restart();
    await adding;
    await eventually(() => new Set(seen.bodies).size === 3_000, { within: 15_000 });
    await eventually(async () => (await transport.depth(stream, GROUP)).length === 0);
    await transport.close();
    await server.stop();
  });

  it('is replaced by an empty one: the generation changes and work goes on', async () => {
    const server = await startRedis({ own: true });
    const transport = new RedisStreamTransport({ url: server.url });
    const [stream, seen] = [streamName(), new Seen()];
    transport.consume(consuming([stream], seen));
    await transport.add(entriesOf(stream, ['before']));
    await eventually(() => seen.bodies.length === 1);
    const generation = await transport.generation();
    await server.kill();
    await server.restart();
    await transport.add(entriesOf(stream, ['after']));
    await eventually(() => seen.bodies.includes('after'));
    expect(await transport.generation()).not.toBe(generation);
    await transport.close();
    await server.stop();
  });
});

function halfOpenLinks(events: readonly TransportEvent[]): readonly string[] {
  return events.flatMap((event) => (event.type === 'half_open' ? [event.link] : []));
}

function sockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
}
