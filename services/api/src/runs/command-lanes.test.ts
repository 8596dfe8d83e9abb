import { describe, expect, it } from '@jest/globals';
import { HotConnection } from '#store';
import { CommandLanes } from './command-lanes.ts';

const connections = [1, 2].map((no) => new HotConnection('postgres://nowhere', `lane-${no}`));
const [one, two] = connections;

/** A command that holds its session until it is told to end. */
function holding(lanes: CommandLanes) {
  const end = Promise.withResolvers<void>();
  const lent = Promise.withResolvers<HotConnection>();
  const ended = lanes.use(async (connection) => {
    lent.resolve(connection);
    await end.promise;
  });
  return { lent: lent.promise, ended, end: () => end.resolve(), fail: () => end.reject(new Error('broken')) };
}

describe('the lanes of commands', () => {
  it('lend each session to one command at a time, and the next that is free to who asked first', async () => {
    const lanes = new CommandLanes(connections);
    const held = Array.from({ length: 4 }, () => holding(lanes));
    expect(await Promise.all(held.slice(0, 2).map(({ lent }) => lent))).toEqual([one, two]);
    held[1]?.fail();
    await expect(held[1]?.ended).rejects.toThrow('broken');
    expect(await held[2]?.lent).toBe(two);
    held[0]?.end();
    expect(await held[3]?.lent).toBe(one);
    for (const { end } of held) end();
    await Promise.all(held.filter((_, at) => at !== 1).map(({ ended }) => ended));
    // A quiet api keeps to one session.
    expect(await lanes.use(async (connection) => connection)).toBe(await lanes.use(async (connection) => connection));
  });

  it('refuse a command when too many wait', async () => {
    const lanes = new CommandLanes(connections, 1);
    const held = Array.from({ length: 3 }, () => holding(lanes));
    await expect(lanes.use(async () => 'done')).rejects.toMatchObject({ code: 'api.busy', kind: 'outage' });
    for (const { end } of held) end();
    await Promise.all(held.map(({ ended }) => ended));
    expect(await lanes.use(async () => 'done')).toBe('done');
  });
});
