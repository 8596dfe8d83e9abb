import { expect, it } from '@jest/globals';
import { eventually } from '#testing';
import type { TransportEvent } from '../src/transport-event.ts';
import { GROUP, Seen, type StreamHarness, consuming, entriesOf, numbers, streamName } from './harness.ts';

export function describeBounds(harness: () => StreamHarness): void {
  it('refuses to add to a full stream, adds to the others, and accepts again when there is room', async () => {
    const events: TransportEvent[] = [];
    const transport = harness().transport({ limits: { streamLengthMax: 100 }, onEvent: (event) => events.push(event) });
    const [full, free] = [streamName(), streamName()];
    await transport.add(entriesOf(full, numbers(100)));
    const refused = transport.add([...entriesOf(free, ['free']), ...entriesOf(full, ['too much'])]);
    await expect(refused).rejects.toMatchObject({ code: 'transport.back_pressure', streams: [full] });
    expect(await transport.depth(full, GROUP)).toMatchObject({ length: 100 });
    expect(await transport.depth(free, GROUP)).toMatchObject({ length: 1 });
    expect(events.filter(({ type }) => type === 'back_pressure')).toEqual([
      { type: 'back_pressure', stream: full, length: 100, streamLengthMax: 100 },
    ]);
    const seen = new Seen();
    transport.consume(consuming([full], seen));
    await eventually(async () => (await transport.depth(full, GROUP)).length === 0);
    await transport.add(entriesOf(full, ['room']));
    await eventually(() => seen.bodies.includes('room'));
  });

  it('counts what is pending as full, and does not let concurrent adds share the last room', async () => {
    const transport = harness().transport({ limits: { streamLengthMax: 100 } });
    const stream = streamName();
    await transport.add(entriesOf(stream, numbers(60)));
    await harness().takeAndVanish(stream, 60);
    const results = await Promise.allSettled(numbers(4).map(() => transport.add(entriesOf(stream, numbers(20)))));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
    expect(await transport.depth(stream, GROUP)).toMatchObject({ length: 100, pending: 60 });
  });

  it('refuses a body above bodyBytesMax, counted in bytes, and adds nothing of the call', async () => {
    const transport = harness().transport({ limits: { bodyBytesMax: 9 } });
    const stream = streamName();
    await expect(transport.add(entriesOf(stream, ['fine', 'ŵŵŵŵŵ']))).rejects.toMatchObject({
      code: 'transport.body_too_large',
      data: { stream, bytes: 10, bodyBytesMax: 9 },
    });
    expect(await transport.depth(stream, GROUP)).toMatchObject({ length: 0 });
    await transport.add(entriesOf(stream, ['ŵŵŵŵ1']));
  });

  it('keeps marks until their time is over', async () => {
    const transport = harness().transport({ limits: { markBytesMax: 8 } });
    const [short, long] = [streamName(), streamName()];
    await transport.mark(short, 'cancel', 60);
    await transport.mark(long, 'stop', 60_000);
    expect(await transport.marks([long, 'none', short])).toEqual(['stop', null, 'cancel']);
    await eventually(async () => (await transport.marks([short]))[0] === null);
    expect(await transport.marks([long])).toEqual(['stop']);
    expect(await transport.marks([])).toEqual([]);
    await expect(transport.mark(long, 'x'.repeat(9), 1_000)).rejects.toMatchObject({ code: 'transport.mark_too_large' });
    await expect(transport.mark(long, 'x', 0)).rejects.toMatchObject({ code: 'transport.bad_option' });
  });

  it('names the option that cannot work', () => {
    const transport = harness().transport();
    const { handle } = new Seen();
    const bad = (about: object) => () => transport.consume(consuming([streamName()], { handle, ...about }));
    expect(bad({ blockMs: 2_001 })).toThrow(/blockMs/);
    expect(bad({ inFlightMax: 0 })).toThrow(/inFlightMax/);
    expect(bad({ deliveriesMax: 1.5 })).toThrow(/deliveriesMax/);
  });

  it('answers a ping and says that it is connected', async () => {
    const transport = harness().transport();
    expect(await transport.ping(2_000)).toBeLessThan(2_000);
    await eventually(() => transport.health.connected);
    expect(transport.health.quietMs).toBeLessThan(5_000);
  });
}
