import { hash as digestOf, randomBytes, timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { DomainError, type Principal } from '#core';
import type { ApiKeyStore, KnownApiKey } from '#store';

/** Looked-up keys that are remembered, and for how long: a revoked key works at most this long on other replicas. */
const REMEMBERED_MAX = 2_000;
const REMEMBERED_MS = 3_000;

/** SHA-256 of a key: all that is kept of it. */
export function hashOf(token: string): Buffer {
  return digestOf('sha256', token, 'buffer');
}

/** A new key: `ff_` and 256 random bits. */
export function newToken(): string {
  return `ff_${randomBytes(32).toString('base64url')}`;
}

/** Recognises bearers by their tokens. */
export class KeyRing {
  private readonly known = new LRUCache<string, KnownApiKey | 'unknown'>({ max: REMEMBERED_MAX, ttl: REMEMBERED_MS });
  /** Look-ups under way: however many requests come with one key, it is looked up once. */
  private readonly asked = new Map<string, Promise<KnownApiKey | undefined>>();

  constructor(private readonly keys: Pick<ApiKeyStore, 'findByHash'>) {}

  /** Throws `auth.token_invalid`, `auth.token_revoked`, `auth.token_expired`. */
  async principalOf(token: string): Promise<Principal> {
    const hash = hashOf(token);
    const key = await this.find(hash);
    if (!key || !timingSafeEqual(key.hash, hash))
      throw refused('auth.token_invalid', 'The token is not known.', 'Use a key that `POST /api/v1/api-keys` gave out.');
    if (key.revoked) throw refused('auth.token_revoked', 'The token was revoked.', 'Ask an admin for another key.');
    if (key.expired) throw refused('auth.token_expired', 'The token has expired.', 'Ask an admin for another key.');
    return { keyId: key.id, name: key.name, role: key.role };
  }

  /** Forgets what was looked up, and what is being looked up: keys were changed here. */
  forget(): void {
    this.known.clear();
    this.asked.clear();
  }

  private async find(hash: Buffer): Promise<KnownApiKey | undefined> {
    const digest = hash.toString('base64');
    const remembered = this.known.get(digest);
    if (remembered) return remembered === 'unknown' ? undefined : remembered;
    const underWay = this.asked.get(digest);
    if (underWay) return await underWay;
    const question = this.keys.findByHash(hash);
    this.asked.set(digest, question);
    try {
      const key = await question;
      if (this.asked.get(digest) === question) this.remember(digest, key);
      return key;
    } finally {
      if (this.asked.get(digest) === question) this.asked.delete(digest);
    }
  }

  private remember(digest: string, key: KnownApiKey | undefined): void {
    // The database says how long a key still lives; nothing is remembered past that.
    const lives = key?.expiresInMs ?? REMEMBERED_MS;
    this.known.set(digest, key ?? 'unknown', { ttl: Math.min(REMEMBERED_MS, Math.max(1, Math.floor(lives))) });
  }
}

function refused(code: string, message: string, remedy: string): DomainError {
  return new DomainError(code, message, {}, remedy);
}
