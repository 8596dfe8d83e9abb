import { expect, it } from '@jest/globals';
import { eventually } from '#testing';
import { GROUP, Seen, type StreamHarness, consuming, entriesOf, numbers, streamName } from './harness.ts';

export function describeManualAcknowledgement(harness: () => StreamHarness): void {
  it('adds the answer and acknowledges the task in one step', async () => {
    const transport = harness().transport();
    const [tasks, answers, seen] = [streamName(), streamName(), new Seen()];
    const consumer = transport.consume(consuming([tasks], { ...seen, acknowledge: 'manual' }));
    await transport.add(entriesOf(tasks, ['task']));
    await eventually(() => seen.deliveries.length === 1);
    expect(consumer.inFlight).toBe(1);
    await transport.addThenAck(entriesOf(answers, ['answer']), seen.deliveries, GROUP);
    expect(consumer.inFlight).toBe(0);
    expect(await transport.depth(tasks, GROUP)).toMatchObject({ length: 0, pending: 0 });
    expect((await transport.waitingHead(answers, GROUP, 10)).map(({ body }) => body)).toEqual(['answer']);
  });

  it('acknowledges nothing when the answer finds no room', async () => {
    const transport = harness().transport({ limits: { streamLengthMax: 2, bodyBytesMax: 10 } });
    const [tasks, answers, seen] = [streamName(), streamName(), new Seen()];
    await transport.add([...entriesOf(answers, ['1', '2']), ...entriesOf(tasks, ['task'])]);
    const consumer = transport.consume(consuming([tasks], { ...seen, acknowledge: 'manual' }));
    await eventually(() => seen.deliveries.length === 1);
    const full = { code: 'transport.back_pressure', streams: [answers] };
    await expect(transport.addThenAck(entriesOf(answers, ['3']), seen.deliveries, GROUP)).rejects.toMatchObject(full);
    await expect(transport.addThenAck(entriesOf(answers, ['x'.repeat(11)]), seen.deliveries, GROUP)).rejects.toMatchObject({
      code: 'transport.body_too_large',
    });
    expect(consumer.inFlight).toBe(1);
    expect(await transport.depth(tasks, GROUP)).toMatchObject({ pending: 1 });
    await transport.ack(seen.deliveries, GROUP);
    await transport.ack(seen.deliveries, GROUP);
    expect(await transport.depth(tasks, GROUP)).toMatchObject({ length: 0 });
  });

  it('moves a buried delivery to the dead letters at once', async () => {
    const transport = harness().transport();
    const [stream, seen] = [streamName(), new Seen()];
    const consumer = transport.consume(consuming([stream], { handle: seen.handle, acknowledge: 'manual' }));
    await transport.add(entriesOf(stream, ['bad']));
    const delivery = await eventually(() => seen.deliveries[0]);

    consumer.bury(delivery, 'no JSON');

    await eventually(async () => (await transport.depth(stream, GROUP)).length === 0);
    expect(await transport.deadLetters(stream, { count: 10 })).toMatchObject([{ body: 'bad', reason: 'no JSON', deliveries: 1 }]);
    expect([consumer.inFlight, seen.bodies]).toEqual([0, ['bad']]);
  });

  it('delivers a released delivery again, and one given back without counting it', async () => {
    const transport = harness().transport();
    const [stream, seen] = [streamName(), new Seen()];
    const consumer = transport.consume(consuming([stream], { ...seen, acknowledge: 'manual' }));
    await transport.add(entriesOf(stream, ['a', 'b']));
    const [a, b] = await eventually(() => seen.deliveries.length === 2 && seen.deliveries);
    if (a === undefined || b === undefined) throw new Error('two were delivered');
    consumer.release(a, 'busy');
    await consumer.giveBack([b]);
    await eventually(() => seen.deliveries.length === 4);
    const again = new Map(seen.deliveries.slice(2).map(({ body, deliveries }) => [body, deliveries]));
    expect(again).toEqual(
      new Map([
        ['a', 2],
        ['b', 1],
      ]),
    );
  });

  it('takes over what a dead consumer left', async () => {
    const transport = harness().transport();
    const [stream, seen] = [streamName(), new Seen()];
    await transport.add(entriesOf(stream, numbers(10)));
    await harness().takeAndVanish(stream, 10);
    transport.consume(consuming([stream], seen));
    await eventually(() => seen.deliveries.length === 10);
    expect(seen.deliveries[0]).toMatchObject({ body: '0', deliveries: 2 });
    await eventually(async () => (await transport.depth(stream, GROUP)).length === 0);
  });

  it('buries what killed its consumers too often', async () => {
    const transport = harness().transport();
    const [stream, seen] = [streamName(), new Seen()];
    await transport.add(entriesOf(stream, ['killer']));
    await harness().takeAndVanish(stream, 1);
    transport.consume(consuming([stream], { ...seen, deliveriesMax: 1 }));
    const [letter] = await eventually(async () => {
      const letters = await transport.deadLetters(stream, { count: 1 });
      return letters.length === 1 && letters;
    });
    expect(letter).toMatchObject({ body: 'killer', reason: 'Delivered 1 times and never acknowledged.' });
    expect(seen.deliveries).toEqual([]);
  });

  it('leaves the work of a slow but living consumer alone', async () => {
    const [slow, eager] = [new Seen(), new Seen()];
    const [one, two] = [harness().transport(), harness().transport()];
    const stream = streamName();
    await one.add(entriesOf(stream, ['slow']));
    one.consume(consuming([stream], { ...slow, acknowledge: 'manual' }));
    await eventually(() => slow.deliveries.length === 1);
    const consumer = two.consume(consuming([stream], eager));
    // Meanwhile others die one after another. When three of them were inherited, the slow one has been idle three times as long.
    for (const died of ['1', '2', '3']) {
      const other = streamName();
      await two.add(entriesOf(other, [died]));
      await harness().takeAndVanish(other, 1);
      await consumer.setStreams([stream, other]);
      await eventually(() => eager.bodies.includes(died));
    }
    expect(eager.bodies.filter((body) => body === 'slow')).toEqual([]);
    await one.ack(slow.deliveries, GROUP);
    expect(await one.depth(stream, GROUP)).toMatchObject({ length: 0 });
  });
}
