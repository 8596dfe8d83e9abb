import { expect, it } from '@jest/globals';
import { eventually } from '#testing';
import type { Delivery } from '../src/stream-transport.ts';
import { GROUP, Seen, type StreamHarness, consuming, entriesOf, gate, numbers, streamName } from './harness.ts';

export function describeDelivery(harness: () => StreamHarness): void {
  it('keeps the order of a stream over many adds', async () => {
    const transport = harness().transport();
    const [stream, seen] = [streamName(), new Seen()];
    transport.consume(consuming([stream], seen));
    for (let i = 0; i < 20; i += 1) await transport.add(entriesOf(stream, numbers(50, `${i}-`)));
    await eventually(() => seen.bodies.length === 1_000);
    expect(seen.bodies).toEqual(numbers(20).flatMap((i) => numbers(50, `${i}-`)));
  });

  it('delivers 500 entries that were added at once as one batch, with what a handler may want to know', async () => {
    const transport = harness().transport();
    const [stream, seen] = [streamName(), new Seen()];
    await transport.add(entriesOf(stream, numbers(500)));
    transport.consume(consuming([stream], seen));
    await eventually(() => seen.bodies.length === 500);
    expect(seen.batches.map((batch) => batch.length)).toEqual([500]);
    expect(seen.deliveries[0]).toEqual({ stream, id: expect.any(String), body: '0', deliveries: 1 });
  });

  it('hands over at most batchMax at once', async () => {
    const transport = harness().transport();
    const [stream, seen] = [streamName(), new Seen()];
    await transport.add(entriesOf(stream, numbers(95)));
    transport.consume(consuming([stream], { ...seen, batchMax: 10 }));
    await eventually(() => seen.bodies.length === 95);
    expect(Math.max(...seen.batches.map((batch) => batch.length))).toBe(10);
  });

  it('acknowledges after the handler has resolved, not before', async () => {
    const transport = harness().transport();
    const stream = streamName();
    const handling = gate();
    await transport.add(entriesOf(stream, ['a', 'b']));
    const consumer = transport.consume(consuming([stream], { handle: () => handling.opened }));
    await eventually(() => consumer.inFlight === 2);
    expect(await transport.depth(stream, GROUP)).toMatchObject({ length: 2, pending: 2, waiting: 0 });
    handling.open();
    await eventually(() => consumer.inFlight === 0);
    expect(await transport.depth(stream, GROUP)).toEqual({ length: 0, pending: 0, waiting: 0, oldestWaitingMs: null, oldestMs: null });
  });

  it('shares a stream between two consumers without doubling', async () => {
    const [first, second] = [new Seen(), new Seen()];
    const stream = streamName();
    const [one, two] = [harness().transport(), harness().transport()];
    one.consume(consuming([stream], { ...first, inFlightMax: 20 }));
    two.consume(consuming([stream], { ...second, inFlightMax: 20 }));
    for (let i = 0; i < 40; i += 1) await one.add(entriesOf(stream, numbers(25, `${i}-`)));
    await eventually(() => first.bodies.length + second.bodies.length >= 1_000);
    expect(new Set([...first.bodies, ...second.bodies]).size).toBe(1_000);
    expect(first.bodies.length + second.bodies.length).toBe(1_000);
    expect(Math.min(first.bodies.length, second.bodies.length)).toBeGreaterThan(0);
  });

  it('never holds more than inFlightMax, even over more streams than that', async () => {
    const transport = harness().transport();
    const streams = numbers(12).map(streamName);
    const held: Delivery[] = [];
    let most = 0;
    const consumer = transport.consume(
      consuming(streams, {
        inFlightMax: 7,
        acknowledge: 'manual',
        handle: (batch) => {
          held.push(...batch);
          most = Math.max(most, consumer.inFlight, held.length);
          return Promise.resolve();
        },
      }),
    );
    await transport.add(streams.flatMap((stream) => entriesOf(stream, numbers(5))));
    for (let done = 0; done < 60;) {
      await eventually(() => held.length > 0);
      done += held.length;
      await transport.ack(held.splice(0), GROUP);
    }
    expect(most).toBeLessThanOrEqual(7);
    expect(most).toBeGreaterThan(3);
  });

  it('takes up new streams while it waits, and leaves old ones', async () => {
    const transport = harness().transport();
    const [old, young, seen] = [streamName(), streamName(), new Seen()];
    const consumer = transport.consume(consuming([old], seen));
    await transport.add(entriesOf(old, ['old']));
    await eventually(() => seen.bodies.length === 1);
    await consumer.setStreams([young]);
    await transport.add([...entriesOf(young, ['young']), ...entriesOf(old, ['left'])]);
    // Well below the wait of a read: the change does not wait for it.
    await eventually(() => seen.bodies.includes('young'), { within: 500 });
    expect(seen.bodies).toEqual(['old', 'young']);
    expect(await transport.depth(old, GROUP)).toMatchObject({ waiting: 1 });
  });

  it('serves quiet streams beside a busy one', async () => {
    const transport = harness().transport();
    const streams = numbers(30).map(streamName);
    const seen = new Seen();
    await transport.add([
      ...entriesOf(streams[0] ?? '', numbers(3_000)),
      ...streams.slice(1).flatMap((stream) => entriesOf(stream, ['quiet'])),
    ]);
    transport.consume(consuming(streams, { ...seen, inFlightMax: 60, batchMax: 60 }));
    await eventually(() => seen.bodies.length === 3_029);
    expect(seen.bodies.lastIndexOf('quiet')).toBeLessThan(400);
  });

  it('tells depth, age and head of what waits', async () => {
    const transport = harness().transport();
    const stream = streamName();
    expect(await transport.depth(stream, GROUP)).toEqual({ length: 0, pending: 0, waiting: 0, oldestWaitingMs: null, oldestMs: null });
    await transport.add(entriesOf(stream, numbers(5)));
    await harness().takeAndVanish(stream, 2);
    expect((await transport.waitingHead(stream, GROUP, 2)).map(({ body }) => body)).toEqual(['2', '3']);
    expect((await transport.waitingHead(stream, 'a group that was never made', 1)).map(({ body }) => body)).toEqual(['0']);
    const depth = await transport.depth(stream, GROUP);
    expect(depth).toMatchObject({ length: 5, pending: 2, waiting: 3 });
    expect(depth.oldestWaitingMs).toBeLessThan(5_000);
    expect(depth.oldestMs).toBeGreaterThanOrEqual(depth.oldestWaitingMs ?? 0);
    await harness().takeAndVanish(stream, 3);
    expect(await transport.depth(stream, GROUP)).toMatchObject({
      pending: 5,
      waiting: 0,
      oldestWaitingMs: null,
      oldestMs: expect.any(Number),
    });
  });

  it('waits for work in flight when it closes, and gives back what was not begun', async () => {
    const transport = harness().transport({ closeGraceMs: 10_000 });
    const other = harness().transport();
    const stream = streamName();
    const handling = gate();
    const began: string[] = [];
    await transport.add(entriesOf(stream, ['begun', 'not begun']));
    const handle = async (batch: readonly Delivery[]) => {
      began.push(...batch.map(({ body }) => body));
      await handling.opened;
    };
    const consumer = transport.consume(consuming([stream], { batchMax: 1, handle, reclaimIdleMs: 60_000 }));
    await eventually(() => consumer.inFlight === 2 && began.length === 1);
    const closed = transport.close();
    const seen = new Seen();
    other.consume(consuming([stream], { ...seen, reclaimIdleMs: 60_000 }));
    await eventually(() => seen.bodies.length === 1);
    handling.open();
    await closed;
    expect(began).toEqual(['begun']);
    expect(seen.deliveries).toMatchObject([{ body: 'not begun', deliveries: 1 }]);
    await eventually(async () => (await other.depth(stream, GROUP)).length === 0);
    await expect(transport.add(entriesOf(stream, ['late']))).rejects.toMatchObject({ code: 'transport.closed' });
  });
}
