import { describe, expect, it } from '@jest/globals';
import { WakeSignal } from './wake-signal.ts';

const LONG_MS = 60_000;

describe('WakeSignal', () => {
  it('wakes who waits', async () => {
    const bell = new WakeSignal();
    const waited = bell.wait(LONG_MS);
    bell.ring();
    expect(await waited).toBe(true);
  });

  it('does not lose a ring while nobody waits, and keeps many as one', async () => {
    const bell = new WakeSignal();
    for (let ring = 0; ring < 3; ring += 1) bell.ring();
    expect(await bell.wait(LONG_MS)).toBe(true);
    expect(await bell.wait(1)).toBe(false);
  });

  it('lets go after its time', async () => {
    expect(await new WakeSignal().wait(1)).toBe(false);
  });

  it('keeps a ring that comes between two waits', async () => {
    const bell = new WakeSignal();
    const waited = bell.wait(LONG_MS);
    bell.ring();
    await waited;
    bell.ring();
    expect(await bell.wait(LONG_MS)).toBe(true);
  });
});
