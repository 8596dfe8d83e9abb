import { describe, expect, it } from '@jest/globals';
import type { ApiKeyStore, KnownApiKey } from '#store';
import { KeyRing, hashOf, newToken } from './key-ring.ts';

const token = newToken();
const key: KnownApiKey = { id: 'k', name: 'ann', role: 'admin', hash: hashOf(token), revoked: false, expired: false, expiresInMs: null };

/** Keys whose look-ups are answered by hand. */
function slowKeys() {
  const answers: ((key: KnownApiKey | undefined) => void)[] = [];
  const findByHash = () => new Promise<KnownApiKey | undefined>((resolve) => answers.push(resolve));
  const keys: Pick<ApiKeyStore, 'findByHash'> = { findByHash };
  return { ring: new KeyRing(keys), answers };
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
});
