import { describe, expect, it } from '@jest/globals';
import type { ApiKeyStore, KnownApiKey } from '#store';
import { eventually } from '#testing';
import { KeyRing, type KeyRingTimes, hashOf, newToken } from './key-ring.ts';

const token = newToken();
const key: KnownApiKey = { id: 'k', name: 'ann', role: 'admin', hash: hashOf(token), revoked: false, expired: false, expiresInMs: null };

/** Keys whose look-ups are answered by hand. */
function slowKeys(times?: Partial<KeyRingTimes>) {
  const answers: ((key: KnownApiKey | undefined) => void)[] = [];
  const findByHash = () => new Promise<KnownApiKey | undefined>((resolve) => answers.push(resolve));
  const keys: Pick<ApiKeyStore, 'findByHash'> = { findByHash };
  return { ring: new KeyRing(keys, { rememberedMs: 3_000, lookupWithinMs: 8_000, ...times }), answers };
}

describe('the key ring', () => {
  it('looks a key up once for all requests that come with it meanwhile, and not again afterwards', async () => {
    const { ring, answers } = slowKeys();
    const asking = Array.from({ length: 32 }, () => ring.principalOf(token));
    expect(answers).toHaveLength(1);
    answers[0]?.(key);
    expect((await Promise.all(asking)).map(({ name }) => name)).toEqual(Array.from({ length: 32 }, () => 'ann'));
    await ring.principalOf(token);
    expect(answers).toHaveLength(1);
  });

  it('does not remember an answer that was asked for before keys were changed', async () => {
    const { ring, answers } = slowKeys();
    const before = ring.principalOf(token);
    ring.forget();
    answers[0]?.(key);
    await before;
    const after = ring.principalOf(token);
    expect(answers).toHaveLength(2);
    answers[1]?.({ ...key, revoked: true });
    await expect(after).rejects.toMatchObject({ code: 'auth.token_revoked' });
  });

  it('asks again after a look-up that failed', async () => {
    const fails = { findByHash: () => Promise.reject(new Error('away')) };
    const ring = new KeyRing(fails);
    await expect(ring.principalOf(token)).rejects.toThrow('away');
    await expect(ring.principalOf(token)).rejects.toThrow('away');
  });

  it('gives a look-up up that gets no answer, and asks again at the next request', async () => {
    const { ring, answers } = slowKeys({ lookupWithinMs: 20 });
    const asking = [ring.principalOf(token), ring.principalOf(token)];
    for (const one of asking) await expect(one).rejects.toMatchObject({ code: 'database.timeout', kind: 'outage' });
    const again = ring.principalOf(token);
    expect(answers).toHaveLength(2);
    // The late answer of the first question is nobody's any more.
    answers[0]?.({ ...key, name: 'too late' });
    answers[1]?.(key);
    expect((await again).name).toBe('ann');
    expect((await ring.principalOf(token)).name).toBe('ann');
  });

  it('takes a key that only looks like the one that was found for unknown', async () => {
    const { ring, answers } = slowKeys();
    const asking = ring.principalOf('another token');
    answers[0]?.(key);
    await expect(asking).rejects.toMatchObject({ code: 'auth.token_invalid' });
  });

  it('looks a key up again when its time is over, however often it comes in between', async () => {
    const { ring, answers } = slowKeys({ rememberedMs: 50 });
    const first = ring.principalOf(token);
    answers[0]?.(key);
    await first;
    let last = first;
    await eventually(() => {
      last = ring.principalOf(token);
      return answers.length === 2;
    });
    answers[1]?.({ ...key, revoked: true });
    await expect(last).rejects.toMatchObject({ code: 'auth.token_revoked' });
  });
});
