import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, unlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DomainError } from '#core';
import type { ApiKeyStore } from '#store';
import { errorCode } from '../errors/error-code.ts';
import { hashOf, newToken } from './key-ring.ts';

const ADMIN_TOKEN_CHARS_MIN = 32;
/** Who made the keys that come from configuration. */
const BOOTSTRAP = 'bootstrap';

/**
 * Makes the configured admin token a key, and revokes the one that was configured before. Throws `auth.admin_token_weak` for a short one
 * outside of development and tests.
 */
export async function acceptAdminToken(keys: ApiKeyStore, token: string, nodeEnv: string): Promise<void> {
  if (token.length < ADMIN_TOKEN_CHARS_MIN && !['development', 'test'].includes(nodeEnv)) {
    throw new DomainError(
      'auth.admin_token_weak',
      `FLOWFORGE_ADMIN_TOKEN is shorter than ${ADMIN_TOKEN_CHARS_MIN} characters.`,
      {},
      'Set a random one, for example from: openssl rand -base64 32',
    );
  }
  await keys.configure({ name: 'admin', role: 'admin', hash: hashOf(token), expiresAt: null, createdBy: BOOTSTRAP });
}

/** Reads the admin token from a file; at first start makes one there, readable by its owner only. Of several starts at once one makes it. */
export async function ensureAdminToken(file: string): Promise<string> {
  await mkdir(dirname(file), { recursive: true });
  // Linked when it is whole: nobody reads a token that is being written.
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, `${newToken()}\n`, { mode: 0o600 });
  try {
    await link(draft, file);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  } finally {
    await unlink(draft);
  }
  return (await readFile(file, 'utf8')).trim();
}
