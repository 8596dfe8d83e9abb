import { hash as digestOf, randomBytes, timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { DomainError, type Principal } from '#core';
import type { ApiKeyStore, KnownApiKey } from '#store';

/** Looked-up keys that are remembered, and for how long: a revoked key works at most this long on other replicas. */
const REMEMBERED_MAX = 2_000;
const REMEMBERED_MS = 3_000;
/** A look-up that takes longer is given up: all requests with its key wait for it. Longer than the pool lets one wait for a connection. */
const LOOKUP_WITHIN_MS = 8_000;

/** SHA-256 of a key: all that is kept of it. */
export function hashOf(token: string): Buffer {
  return digestOf('sha256', token, 'buffer');
}

/** A new key: `ff_` and 256 random bits. */
export function newToken(): string {
  return `ff_${randomBytes(32).toString('base64url')}`;
}

export interface KeyRingTimes {
  readonly rememberedMs: number;
  readonly lookupWithinMs: number;
}

/**
 * Recognises bearers by their tokens. A token is hashed and looked up once; what came of it is remembered under the token itself, which is
 * forgotten with it: a request in between costs one look into a map.
 */
export class KeyRing {
  private readonly known = new LRUCache<string, KnownApiKey | 'unknown'>({
    max: REMEMBERED_MAX,
    // To the moment, and no token stays in memory because nobody asks again.
    ttlResolution: 0,
    ttlAutopurge: true,
  });
  /** Look-ups under way: however many requests come with one key, it is looked up once. */
  private readonly asked = new Map<string, Promise<KnownApiKey | 'unknown'>>();

  constructor(
    private readonly keys: Pick<ApiKeyStore, 'findByHash'>,
    private readonly times: KeyRingTimes = { rememberedMs: REMEMBERED_MS, lookupWithinMs: LOOKUP_WITHIN_MS },
  ) {}

  /** Throws `auth.token_invalid`, `auth.token_revoked`, `auth.token_expired`, and `database.timeout` (an outage). */
  async principalOf(token: string): Promise<Principal> {
    return this.remembered(token) ?? principalOf(await this.find(token));
  }

  /** The same where nobody needs to be asked; undefined otherwise. */
  remembered(token: string): Principal | undefined {
    const key = this.known.get(token);
    return key && principalOf(key);
  }

  /** Forgets what was looked up, and what is being looked up: keys were changed here. */
  forget(): void {
    this.known.clear();
    this.asked.clear();
  }

  private async find(token: string): Promise<KnownApiKey | 'unknown'> {
    const underWay = this.asked.get(token);
    if (underWay) return underWay;
    const askedAt = performance.now();
    const question = within(this.lookUp(token), this.times.lookupWithinMs);
    this.asked.set(token, question);
    try {
      const key = await question;
      if (this.asked.get(token) === question) this.remember(token, key, askedAt);
      return key;
    } finally {
      if (this.asked.get(token) === question) this.asked.delete(token);
    }
  }

  private async lookUp(token: string): Promise<KnownApiKey | 'unknown'> {
    const hash = hashOf(token);
    const key = await this.keys.findByHash(hash);
    return key && timingSafeEqual(key.hash, hash) ? key : 'unknown';
  }

  /** From the moment of the question: the answer may be as old as that. */
  private remember(token: string, key: KnownApiKey | 'unknown', askedAt: number): void {
    // The database says how long a key still lives; nothing is remembered past that.
    const { rememberedMs } = this.times;
    const lives = (key === 'unknown' ? null : key.expiresInMs) ?? rememberedMs;
    this.known.set(token, key, { ttl: Math.min(rememberedMs, Math.max(1, Math.floor(lives))), start: askedAt });
  }
}

function principalOf(key: KnownApiKey | 'unknown'): Principal {
  if (key === 'unknown') throw refused('auth.token_invalid', 'The token is not known.', 'Use a key that `POST /api/v1/api-keys` gave out.');
  if (key.revoked) throw refused('auth.token_revoked', 'The token was revoked.', 'Ask an admin for another key.');
  if (key.expired) throw refused('auth.token_expired', 'The token has expired.', 'Ask an admin for another key.');
  return { keyId: key.id, name: key.name, role: key.role };
}

async function within<Answer>(question: Promise<Answer>, ms: number): Promise<Answer> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(tooLate()), ms);
  return Promise.race([question, late]).finally(() => clearTimeout(timer));
}

function tooLate(): DomainError {
  return new DomainError('database.timeout', 'The database did not answer in time.', {}, 'Try again in a moment.', 'outage');
}

function refused(code: string, message: string, remedy: string): DomainError {
  return new DomainError(code, message, {}, remedy);
}
