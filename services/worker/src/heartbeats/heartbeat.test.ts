import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { HeartbeatMessage } from '#contracts';
import type { HeldList } from '../steps/held-step.ts';
import { Heartbeat } from './heartbeat.ts';

const settings = { deployment: 'd', worker: 'w', epoch: 1, concurrency: 2, kinds: ['noop'], heartbeatSeconds: 3, leaseSeconds: 10 };

function beating() {
  jest.useFakeTimers();
  const sent: HeartbeatMessage[] = [];
  const link = { up: true, answersInMs: 0 };
  const told: string[] = [];
  const transport = {
    add: async (entries: readonly { body: string }[]) => {
      await (link.answersInMs > 0 ? new Promise((resolve) => setTimeout(resolve, link.answersInMs)) : Promise.resolve());
      if (!link.up) throw new Error('away');
      sent.push(...entries.map(({ body }) => HeartbeatMessage.parse(JSON.parse(body))));
    },
  };
  const holding: HeldList = { held: [[randomUUID(), 1, 2]], begun: 1 };
  const events = { held: () => holding, leaseLost: () => told.push('lost'), failed: () => told.push('failed') };
  return { heartbeat: new Heartbeat(transport, settings, events), sent, link, told, holding };
}

afterEach(() => {
  jest.useRealTimers();
});

describe('the heartbeat', () => {
  it('beats at once and then every few seconds, under one session', async () => {
    const { heartbeat, sent } = beating();
    await heartbeat.start();

    await jest.advanceTimersByTimeAsync(9_000);
    heartbeat.stop();

    expect(sent).toHaveLength(4);
    expect(new Set(sent.map(({ session }) => session))).toEqual(new Set([heartbeat.session]));
    expect(sent.map(({ beat }) => beat)).toEqual([1, 2, 3, 4]);
  });

  it('lists what the session holds', async () => {
    const { heartbeat, sent, holding } = beating();
    await heartbeat.start();
    heartbeat.stop();

    expect(sent).toMatchObject([holding]);
  });

  it('loses the lease once when nothing arrives for longer than the lease, and comes back as a new session', async () => {
    const { heartbeat, sent, link, told } = beating();
    await heartbeat.start();
    const before = heartbeat.session;
    link.up = false;

    await jest.advanceTimersByTimeAsync(18_000);
    expect(told.filter((what) => what === 'lost')).toHaveLength(1);
    link.up = true;
    await jest.advanceTimersByTimeAsync(3_000);
    heartbeat.stop();

    expect(heartbeat.session).not.toBe(before);
    expect(sent.at(-1)?.session).toBe(heartbeat.session);
    expect(heartbeat.ageSeconds).toBeLessThan(1);
  });

  it('keeps the lease through a short outage', async () => {
    const { heartbeat, link, told } = beating();
    await heartbeat.start();
    link.up = false;
    await jest.advanceTimersByTimeAsync(8_000);
    link.up = true;
    await jest.advanceTimersByTimeAsync(9_000);
    heartbeat.stop();

    expect(told).not.toContain('lost');
  });

  it('counts the lease from the moment when a heartbeat was sent, however late its answer comes', async () => {
    const { heartbeat, link } = beating();
    await heartbeat.start();
    link.answersInMs = 6_000;

    await jest.advanceTimersByTimeAsync(9_000);
    heartbeat.stop();

    expect(heartbeat.ageSeconds).toBeCloseTo(6, 1);
  });

  it('says that it leaves, holding nothing', async () => {
    const { heartbeat, sent } = beating();
    await heartbeat.start();

    await heartbeat.leave();

    expect(sent.at(-1)).toMatchObject({ leaving: true, held: [] });
  });
});
