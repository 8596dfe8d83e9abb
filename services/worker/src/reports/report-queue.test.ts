import { describe, expect, it } from '@jest/globals';
import type { Delivery } from '#transport';
import { ReportQueue } from './report-queue.ts';

const delivery = (id: string): Delivery => ({ stream: 'tasks:d', id, body: '', deliveries: 1 });

function queueInto(failuresFirst = 0) {
  const calls: { bodies: unknown[]; acks: string[] }[] = [];
  let failed = 0;
  const transport = {
    addThenAck: async (entries: readonly { body: string }[], acks: readonly Delivery[]) => {
      await Promise.resolve();
      if (failed < failuresFirst) throw new Error('away');
      calls.push({ bodies: entries.map(({ body }) => JSON.parse(body)), acks: acks.map(({ id }) => id) });
    },
  };
  const queue = new ReportQueue(transport, 'd', { sent: () => undefined, failed: () => (failed += 1) });
  return { queue, calls, failures: () => failed };
}

describe('the report queue', () => {
  it('sends what ends in one turn together, and what ends meanwhile next, in order', async () => {
    const { queue, calls } = queueInto();
    queue.push({ body: '1', settles: delivery('1') });
    queue.push({ body: null, settles: delivery('2') });
    queue.push({ body: '3', settles: null });
    await Promise.resolve();
    queue.push({ body: '4', settles: delivery('4') });

    await queue.idle();

    expect(calls).toEqual([
      { bodies: [[1, 3]], acks: ['1', '2'] },
      { bodies: [4], acks: ['4'] },
    ]);
  });

  it('loses nothing while the stream is away or full, and keeps the order', async () => {
    const { queue, calls, failures } = queueInto(2);
    const done: string[] = [];
    for (const body of ['1', '2']) queue.push({ body, settles: delivery(body), done: () => done.push(body) });

    await queue.idle();

    expect([failures(), calls, done]).toEqual([2, [{ bodies: [[1, 2]], acks: ['1', '2'] }], ['1', '2']]);
  });

  it.each(Array.from({ length: 12 }, (_, turns) => turns))(
    'does not forget what ends %d turns after the last batch arrived',
    async (turns) => {
      const { queue, calls } = queueInto();
      const late = async () => {
        for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
        queue.push({ body: '2', settles: null });
      };
      queue.push({ body: '1', settles: null, done: () => void late() });
      await new Promise((resolve) => setImmediate(resolve));

      expect(calls.flatMap(({ bodies }) => bodies)).toEqual([1, 2]);
    },
  );

  it('sends at most 500 reports and about 4 MiB in one round trip', async () => {
    const { queue, calls } = queueInto();
    queue.push(...Array.from({ length: 501 }, (_, at) => ({ body: `${at}`, settles: null })));
    queue.push(...Array.from({ length: 3 }, () => ({ body: JSON.stringify('x'.repeat(2 * 1024 * 1024 - 2)), settles: null })));

    await queue.idle();

    expect(calls.map(({ bodies }) => bodies.flat().length)).toEqual([500, 2, 2]);
  });

  it('gives up at once when it is closed', async () => {
    const { queue, calls } = queueInto(Number.POSITIVE_INFINITY);
    queue.push({ body: '1', settles: null });
    await new Promise((resolve) => setImmediate(resolve));

    queue.close();
    await queue.idle();

    expect(calls).toEqual([]);
  });
});
