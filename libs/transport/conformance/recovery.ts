import { expect, it } from '@jest/globals';
import { eventually } from '#testing';
import type { TransportEvent } from '../src/transport-event.ts';
import { GROUP, Seen, type StreamHarness, consuming, entriesOf, numbers, streamName } from './harness.ts';

export function describeRecovery(harness: () => StreamHarness): void {
  for (const [fault, cause] of [
    ['the server is emptied', () => harness().flush()],
    ['a stream is deleted', (stream: string) => harness().drop(stream)],
    ['a group is destroyed', (stream: string) => harness().dropGroup(stream)],
  ] as const) {
    it(`handles later adds at once after ${fault} while a read waits`, async () => {
      const events: TransportEvent[] = [];
      const transport = harness().transport({ onEvent: (event) => events.push(event) });
      const [stream, seen] = [streamName(), new Seen()];
      transport.consume(consuming([stream], seen));
      await transport.add(entriesOf(stream, ['before']));
      await eventually(() => seen.bodies.length === 1);
      await cause(stream);
      await transport.add(entriesOf(stream, ['after']));
      await eventually(() => seen.bodies.includes('after'), { within: 1_000 });
      expect(events.filter(({ type }) => type === 'nogroup').length).toBeGreaterThanOrEqual(2);
    });

    it(`goes on under load when ${fault}`, async () => {
      const transport = harness().transport();
      const [stream, seen] = [streamName(), new Seen()];
      transport.consume(consuming([stream], { ...seen, batchMax: 20 }));
      for (let i = 0; i < 30; i += 1) {
        if (i % 10 === 5) await cause(stream);
        await transport.add(entriesOf(stream, numbers(20, `${i}-`)));
      }
      await transport.add(entriesOf(stream, ['last']));
      await eventually(() => seen.bodies.includes('last'));
      await eventually(async () => (await transport.depth(stream, GROUP)).length === 0);
    });
  }

  it('does not deliver twice what it holds when its group is made anew', async () => {
    const transport = harness().transport();
    const [stream, seen] = [streamName(), new Seen()];
    transport.consume(consuming([stream], { ...seen, acknowledge: 'manual' }));
    await transport.add(entriesOf(stream, ['held']));
    await eventually(() => seen.bodies.length === 1);
    await harness().dropGroup(stream);
    await transport.add(entriesOf(stream, ['next']));
    await eventually(() => seen.bodies.includes('next'));
    expect(seen.bodies).toEqual(['held', 'next']);
    await transport.ack(seen.deliveries, GROUP);
    expect(await transport.depth(stream, GROUP)).toMatchObject({ length: 0 });
  });

  it('changes its generation when everything is lost, and only then', async () => {
    const [transport, other] = [harness().transport(), harness().transport()];
    const generation = await transport.generation();
    expect(generation.length).toBeGreaterThan(8);
    expect(await other.generation()).toBe(generation);
    await harness().flush();
    const next = await transport.generation();
    expect(next).not.toBe(generation);
    expect(await other.generation()).toBe(next);
  });
}
