import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { World } from '../world.ts';

export const DEFAULT_LOCAL_URL = 'http://127.0.0.1:3000';

/** What `flowforge dev` leaves in its data folder for its owner. */
export interface LocalProfile {
  readonly folder: string;
  readonly tokenFile: string;
  readonly url: string;
  readonly token: string;
  /** Login that may read all tables; null when the server is not running. */
  readonly databaseUrl: string | null;
}

/** The local profile whose data folder is `./data` (or DATA_DIR). Undefined when there is none, or when its token is another user's. */
export async function findLocalProfile({ cwd, env }: Pick<World, 'cwd' | 'env'>): Promise<LocalProfile | undefined> {
  const folder = resolve(cwd, env['DATA_DIR'] || 'data');
  const tokenFile = join(folder, 'admin-token');
  const token = (await textOf(tokenFile))?.trim();
  if (!token) return undefined;
  const connection = await readConnection(join(folder, 'connection.json'));
  return { folder, tokenFile, token, url: connection.url ?? DEFAULT_LOCAL_URL, databaseUrl: connection.databaseUrl ?? null };
}

async function readConnection(file: string): Promise<{ url?: string; databaseUrl?: string }> {
  try {
    const given: unknown = JSON.parse((await textOf(file)) ?? '{}');
    if (typeof given !== 'object' || given === null) return {};
    return { ...textAt(given, 'url'), ...textAt(given, 'databaseUrl') };
  } catch {
    return {};
  }
}

function textAt(given: object, key: 'url' | 'databaseUrl'): { url?: string; databaseUrl?: string } {
  const value: unknown = Reflect.get(given, key);
  return typeof value === 'string' ? { [key]: value } : {};
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    return undefined;
  }
}
