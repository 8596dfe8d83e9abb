import { describe, expect, it } from '@jest/globals';
import { InProcessGroup } from './in-process-group.ts';
import { StreamBroker } from './stream-broker.ts';

describe('a read that would wait for a minute', () => {
  it.each(['at once', 'after a moment'])('is over when it is interrupted %s', async (when) => {
    const group = new InProcessGroup(new StreamBroker(), { group: 'g', consumer: 'c', deadLetterLengthMax: 1 }, () => undefined);

    const read = group.read({ streams: ['s'], count: 1, blockMs: 60_000 });
    if (when === 'after a moment') await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    group.interrupt();

    expect(await read).toEqual([]);
  });
});
