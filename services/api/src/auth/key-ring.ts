import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { DomainError, type Principal } from '#core';
import type { ApiKeyStore, KnownApiKey } from '#store';

/** Looked-up keys that are remembered, and for how long: a revoked key works at most this long on other replicas. */
const REMEMBERED_MAX = 2_000;
const REMEMBERED_MS = 3_000;

/** SHA-256 of a key: all that is kept of it. */
export function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** A new key: `ff_` and 256 random bits. */
export function newToken(): string {
  return `ff_${randomBytes(32).toString('base64url')}`;
}

/** Recognises bearers by their tokens. */
export class KeyRing {
  private readonly known = new LRUCache<string, KnownApiKey | 'unknown'>({ max: REMEMBERED_MAX, ttl: REMEMBERED_MS });

  constructor(private readonly keys: ApiKeyStore) {}

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

  /** Forgets what was looked up: keys were changed here. */
  forget(): void {
    this.known.clear();
  }

  private async find(hash: Buffer): Promise<KnownApiKey | undefined> {
    const digest = hash.toString('base64');
    const remembered = this.known.get(digest);
    if (remembered) return remembered === 'unknown' ? undefined : remembered;
    const key = await this.keys.findByHash(hash);
    // The database says how long a key still lives; nothing is remembered past that.
    const ttl =
      key?.expiresInMs === null || key === undefined ? REMEMBERED_MS : Math.min(REMEMBERED_MS, Math.max(1, Math.floor(key.expiresInMs)));
    this.known.set(digest, key ?? 'unknown', { ttl });
    return key;
  }
}

function refused(code: string, message: string, remedy: string): DomainError {
  return new DomainError(code, message, {}, remedy);
}
