import { expect, it, jest } from '@jest/globals';
import { eventually } from '#testing';
import type { Delivery } from '../src/stream-transport.ts';
import { BatchFailure, HandlerUnavailable } from '../src/transport-error.ts';
import type { TransportEvent } from '../src/transport-event.ts';
import { GROUP, Seen, type StreamHarness, consuming, entriesOf, numbers, streamName } from './harness.ts';

export function describeFailure(harness: () => StreamHarness): void {
  it('delivers again after a throw, and counts it', async () => {
    const transport = harness().transport();
    const [stream, seen] = [streamName(), new Seen()];
    const handle = (batch: readonly Delivery[]) => {
      void seen.handle(batch);
      return seen.batches.length === 1 ? Promise.reject(new Error('first time')) : Promise.resolve();
    };
    transport.consume(consuming([stream], { handle }));
    await transport.add(entriesOf(stream, ['a', 'b']));
    await eventually(async () => (await transport.depth(stream, GROUP)).length === 0);
    expect(seen.deliveries.map(({ body, deliveries }) => `${body}${deliveries}`)).toEqual(['a1', 'b1', 'a2', 'b2']);
  });

  it('acknowledges the others when a handler names those that failed', async () => {
    const transport = harness().transport();
    const [stream, seen] = [streamName(), new Seen()];
    const handle = (batch: readonly Delivery[]) => {
      void seen.handle(batch);
      const bad = batch.filter(({ body, deliveries }) => body === 'bad' && deliveries === 1);
      return bad.length === 0 ? Promise.resolve() : Promise.reject(new BatchFailure(new Map(bad.map((delivery) => [delivery, 'odd']))));
    };
    transport.consume(consuming([stream], { handle, redeliveryMs: 100 }));
    await transport.add(entriesOf(stream, ['good', 'bad', 'fine']));
    await eventually(async () => (await transport.depth(stream, GROUP)).length === 1);
    await eventually(async () => (await transport.depth(stream, GROUP)).length === 0);
    expect(seen.bodies).toEqual(['good', 'bad', 'fine', 'bad']);
  });

  it('moves to the dead letters after deliveriesMax, with the reason, and replays them', async () => {
    const events: TransportEvent[] = [];
    const transport = harness().transport({ onEvent: (event) => events.push(event) });
    const [stream, seen] = [streamName(), new Seen()];
    let healed = false;
    const handle = (batch: readonly Delivery[]) => {
      void seen.handle(batch);
      return healed ? Promise.resolve() : Promise.reject(new Error('no such customer'));
    };
    transport.consume(consuming([stream], { handle }));
    await transport.add(entriesOf(stream, ['poison']));
    const [letter] = await eventually(async () => {
      const letters = await transport.deadLetters(stream, { count: 10 });
      return letters.length === 1 && letters;
    });
    expect(letter).toMatchObject({ body: 'poison', reason: 'no such customer', deliveries: 3, entryId: seen.deliveries[0]?.id });
    expect(seen.bodies).toHaveLength(3);
    expect(await transport.depth(stream, GROUP)).toMatchObject({ length: 0, pending: 0 });
    expect(events.filter(({ type }) => type === 'dead_letter')).toHaveLength(1);
    healed = true;
    expect(await transport.replayDeadLetters(stream, [letter?.id ?? ''])).toBe(1);
    await eventually(() => seen.bodies.length === 4);
    expect(await transport.deadLetters(stream, { count: 10 })).toEqual([]);
    expect(await transport.replayDeadLetters(stream, 'all')).toBe(0);
  });

  it('moves what is hopeless to the dead letters at its first delivery, and acknowledges the others', async () => {
    const transport = harness().transport();
    const [stream, seen] = [streamName(), new Seen()];
    const handle = (batch: readonly Delivery[]) => {
      void seen.handle(batch);
      const bad = batch.filter(({ body }) => body === 'bad');
      return bad.length === 0
        ? Promise.resolve()
        : Promise.reject(new BatchFailure(new Map(bad.map((delivery) => [delivery, 'no JSON'])), new Set(bad)));
    };
    transport.consume(consuming([stream], { handle }));
    await transport.add(entriesOf(stream, ['good', 'bad', 'fine']));
    await eventually(async () => (await transport.depth(stream, GROUP)).length === 0);
    expect(await transport.deadLetters(stream, { count: 10 })).toMatchObject([{ body: 'bad', reason: 'no JSON', deliveries: 1 }]);
    expect(seen.bodies).toEqual(['good', 'bad', 'fine']);
  });

  it('delivers again in time although the wall clock was set back meanwhile', async () => {
    const transport = harness().transport();
    const [stream, seen] = [streamName(), new Seen()];
    const real = Date.now.bind(Date);
    const handle = (batch: readonly Delivery[]) => {
      void seen.handle(batch);
      if (seen.batches.length > 1) return Promise.resolve();
      jest.spyOn(Date, 'now').mockImplementation(() => real() - 3_600_000);
      return Promise.reject(new Error('first time'));
    };
    try {
      transport.consume(consuming([stream], { handle }));
      await transport.add(entriesOf(stream, ['a']));
      const deadline = performance.now() + 10_000;
      while (seen.bodies.length < 2 && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
      expect(seen.bodies).toEqual(['a', 'a']);
      expect(transport.health.connected).toBe(true);
    } finally {
      jest.restoreAllMocks();
    }
  });

  it('keeps at most deadLetterLengthMax dead letters, read page by page, and replays all of them', async () => {
    const transport = harness().transport();
    const stream = streamName();
    let healed = false;
    const seen = new Seen();
    const handle = (batch: readonly Delivery[]) => (healed ? seen.handle(batch) : Promise.reject(new Error('all bad')));
    transport.consume(consuming([stream], { handle, deliveriesMax: 1, deadLetterLengthMax: 5 }));
    await transport.add(entriesOf(stream, numbers(8)));
    await eventually(async () => (await transport.depth(stream, GROUP)).length === 0);
    const first = await transport.deadLetters(stream, { count: 3 });
    const rest = await transport.deadLetters(stream, { count: 3, after: first[2]?.id ?? '' });
    expect([...first, ...rest].map(({ body }) => body)).toEqual(['3', '4', '5', '6', '7']);
    healed = true;
    expect(await transport.replayDeadLetters(stream, 'all')).toBe(5);
    await eventually(() => seen.bodies.length === 5);
  });

  it('does not let one poisonous entry drag its neighbours into the dead letters', async () => {
    const transport = harness().transport();
    const [stream, good] = [streamName(), new Set<string>()];
    const handle = (batch: readonly Delivery[]) => {
      if (batch.some(({ body }) => body === 'poison')) return Promise.reject(new Error('the whole batch'));
      for (const { body } of batch) good.add(body);
      return Promise.resolve();
    };
    await transport.add(entriesOf(stream, ['1', '2', 'poison', '3']));
    transport.consume(consuming([stream], { handle }));
    await eventually(async () => (await transport.depth(stream, GROUP)).length === 0);
    expect([...good].sort()).toEqual(['1', '2', '3']);
    expect((await transport.deadLetters(stream, { count: 10 })).map(({ body }) => body)).toEqual(['poison']);
  });

  it('waits out an outage of the handler without counting deliveries', async () => {
    const transport = harness().transport();
    const [stream, seen] = [streamName(), new Seen()];
    let outages = 0;
    const handle = (batch: readonly Delivery[]) => {
      outages += 1;
      return outages < 5 ? Promise.reject(new HandlerUnavailable('the database is away')) : seen.handle(batch);
    };
    transport.consume(consuming([stream], { handle }));
    await transport.add(entriesOf(stream, ['a']));
    await eventually(() => seen.deliveries.length === 1);
    expect(seen.deliveries).toMatchObject([{ body: 'a', deliveries: 1 }]);
  });
}
