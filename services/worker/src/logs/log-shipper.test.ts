import { describe, expect, it } from '@jest/globals';
import { LogMessage } from '#contracts';
import { LogShipper } from './log-shipper.ts';

const owner = { runId: '0195f000-0000-7000-8000-000000000001', stepNo: 1, attempt: 1, dispatchNo: 1 };
const line = (no: number, text = 'x') => ({ line: no, at: 0, level: 'info' as const, text });

/** A stream that holds its answers back until it is told to give them. */
function stream() {
  const bodies: string[] = [];
  let answer: (() => void) | undefined;
  return {
    bodies,
    release: () => answer?.(),
    add: async (entries: readonly { body: string }[]) => {
      bodies.push(...entries.map(({ body }) => body));
      await new Promise<void>((resolve) => (answer = resolve));
    },
  };
}

describe('the log shipper', () => {
  it('sends what gathered while the last batch was under way as one batch, in messages that fit', async () => {
    const to = stream();
    const shipper = new LogShipper(to, { deployment: 'd', waitingCharactersMax: 1e9 }, () => undefined);
    shipper.take(owner, line(1));
    await Promise.resolve();
    for (let no = 2; no <= 2_500; no += 1) shipper.take(owner, line(no, '\u0001'.repeat(100)));
    to.release();
    await new Promise((resolve) => setImmediate(resolve));

    const messages = to.bodies.map((body) => LogMessage.parse(JSON.parse(body)));

    expect(messages.flatMap(({ lines }) => lines.map((one) => one.line))).toEqual(Array.from({ length: 2_500 }, (_, at) => at + 1));
    expect(Math.max(...to.bodies.map((body) => Buffer.byteLength(body)))).toBeLessThan(1_048_576);
    to.release();
  });

  it.each(Array.from({ length: 12 }, (_, turns) => turns))(
    'does not forget a line that comes %d turns after the last batch arrived',
    async (turns) => {
      const to = stream();
      const shipper = new LogShipper(to, { deployment: 'd', waitingCharactersMax: 1e9 }, () => undefined);
      shipper.take(owner, line(1));
      await new Promise((resolve) => setImmediate(resolve));
      to.release();
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
      shipper.take(owner, line(2));
      await new Promise((resolve) => setImmediate(resolve));

      expect(to.bodies).toHaveLength(2);
      to.release();
    },
  );

  it('takes no more than may wait, and more when there is room', async () => {
    const to = stream();
    const shipper = new LogShipper(to, { deployment: 'd', waitingCharactersMax: 10 }, () => undefined);

    expect([shipper.take(owner, line(1, 'x'.repeat(10))), shipper.take(owner, line(2))]).toEqual([true, false]);
    await new Promise((resolve) => setImmediate(resolve));
    to.release();
    await new Promise((resolve) => setImmediate(resolve));

    expect(shipper.take(owner, line(2))).toBe(true);
    to.release();
  });

  it('tries again what did not arrive', async () => {
    const bodies: string[] = [];
    let failures = 0;
    const to = {
      add: async (entries: readonly { body: string }[]) => {
        if (failures === 0) throw new Error('away');
        bodies.push(...entries.map(({ body }) => body));
        await Promise.resolve();
      },
    };
    const shipper = new LogShipper(to, { deployment: 'd', waitingCharactersMax: 10 }, () => (failures += 1));

    shipper.take(owner, line(1));
    await shipper.close(5_000);

    expect([failures, bodies.length]).toEqual([1, 1]);
  });
});
