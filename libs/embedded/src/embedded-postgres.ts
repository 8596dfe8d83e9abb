import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DomainError } from '#core';
import { openDataHome, removeData } from './data-home.ts';
import { reasonOf, systemCode } from './faults.ts';
import { freePort } from './free-port.ts';
import { type FolderLock, lockFolder } from './folder-lock.ts';
import { endOrphan } from './orphan.ts';
import { clusterMajor, findServerFiles } from './server-files.ts';
import { type ServerCommand, type ServerProcess, startServer } from './server-process.ts';
import { type ServerUser, canEnter, findServerUser, idsOf } from './server-user.ts';

const run = promisify(execFile);
const superuser = 'postgres';
const startAttempts = 5;

export interface EmbeddedPostgresOptions {
  /** Made when it is missing. One process at a time may use it (`data.locked`). */
  readonly dataDir: string;
  /** Nothing or 0: a free one. */
  readonly port?: number;
  /** False only where the data may be lost with the machine (tests). */
  readonly fsync?: boolean;
  /** Further settings of the server, as in postgresql.conf. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  /** A folder with another `initdb` and `postgres` than the embedded ones (for example /usr/lib/postgresql/15/bin). */
  readonly bin?: string;
}

/** A running server of our own on 127.0.0.1. It ends with this process, however this process ends. */
export interface EmbeddedPostgres {
  readonly port: number;
  readonly pid: number;
  /** Where cluster, password and log lie: the data folder, or the place that `postgres.location` in it names. */
  readonly home: string;
  /** Resolves when the server is gone, wanted or not. */
  readonly ended: Promise<void>;
  /** The superuser's connection URL (with its password: never to be logged) to a database, `postgres` unless told. */
  superuserUrl(database?: string): string;
  /** Fast shutdown, then the folder is free. Calling twice is safe. */
  stop(): Promise<void>;
  /** SIGKILL, as in a crash; the next start recovers. */
  kill(): Promise<void>;
  /** Stops it and deletes all its data, wherever that lies. For throw-away servers: removing the data folder may leave the cluster behind. */
  destroy(): Promise<void>;
}

/**
 * Starts PostgreSQL on a data folder, making the cluster at the first start (about 0.7 s, afterwards 0.1 s). Works as root, then the
 * server runs as a system user, and as an ordinary user. Throws `data.locked` when another process has the folder, `data.foreign` when
 * it belongs to another user, `data.version` when another major version made it, `postgres.port_taken`, `postgres.start`.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const visitor = await findServerUser();
  const home = await openDataHome(options.dataDir, visitor);
  const locks: FolderLock[] = [];
  try {
    for (const folder of new Set([options.dataDir, home])) locks.push(await lockFolder(folder));
    const user = await ownerOf(join(home, 'postgres'), visitor);
    const bin = options.bin && canEnter(user, options.bin) ? options.bin : await findServerFiles(user);
    const password = await readOrMakePassword(home);
    const cluster = await openCluster(home, bin, user, password);
    await endOrphan(cluster);
    const { server, port } = await startOnPort({ bin, home, cluster, user, settings: settingsOf(options) }, options.port);
    return describe(server, port, { dataDir: options.dataDir, home, password }, locks);
  } catch (error) {
    for (const lock of locks) await lock.release();
    throw error;
  }
}

interface Place {
  readonly dataDir: string;
  readonly home: string;
  readonly password: string;
}

function describe(server: ServerProcess, port: number, { dataDir, home, password }: Place, locks: readonly FolderLock[]): EmbeddedPostgres {
  const end = async (signal: 'SIGINT' | 'SIGKILL') => {
    await server.signal(signal);
    for (const lock of locks) await lock.release();
  };
  return {
    port,
    pid: server.pid,
    home,
    ended: server.ended,
    superuserUrl: (database = 'postgres') => `postgresql://${superuser}:${password}@127.0.0.1:${port}/${encodeURIComponent(database)}`,
    stop: () => end('SIGINT'),
    kill: () => end('SIGKILL'),
    destroy: async () => {
      await end('SIGINT');
      await removeData(dataDir, home);
    },
  };
}

function settingsOf({ fsync = true, settings = {} }: EmbeddedPostgresOptions): ServerCommand['settings'] {
  const careless = { fsync: false, synchronous_commit: false, full_page_writes: false };
  return { timezone: 'UTC', ...(fsync ? {} : careless), ...settings };
}

/** An existing cluster is served as the user that it belongs to: root may serve a folder that an ordinary user has begun. */
async function ownerOf(cluster: string, visitor: ServerUser): Promise<ServerUser> {
  const found = await stat(cluster).catch(() => undefined);
  if (!found || found.uid === visitor.uid || found.uid === process.getuid?.()) return visitor;
  if (visitor.uid !== undefined && found.uid !== 0) return { uid: found.uid, gid: found.gid, name: `user ${found.uid}` };
  throw new DomainError(
    'data.foreign',
    `${cluster} belongs to user ${found.uid}, not to the user of this process.`,
    { cluster, uid: found.uid },
    'Start FlowForge as the user that made the data folder, or choose another data folder.',
  );
}

async function readOrMakePassword(home: string): Promise<string> {
  const path = join(home, 'superuser.password');
  const kept = await readFile(path, 'utf8').catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw new DomainError(
      'data.foreign',
      `${path} cannot be read by this user.`,
      { path },
      'Start FlowForge as the user that made the data folder.',
    );
  });
  if (kept) return kept.trim();
  const password = randomBytes(24).toString('base64url');
  await writeFile(path, `${password}\n`, { mode: 0o600 });
  return password;
}

/** Makes the cluster aside and moves it in as a whole, so that an interrupted first start leaves nothing half-made. */
async function openCluster(home: string, bin: string, user: ServerUser, password: string): Promise<string> {
  const cluster = join(await realpath(home), 'postgres');
  const major = await clusterMajor(cluster);
  if (major === undefined) await makeCluster(cluster, bin, user, password);
  else await refuseOtherMajor(cluster, major, bin);
  return cluster;
}

async function makeCluster(cluster: string, bin: string, user: ServerUser, password: string): Promise<void> {
  const draft = `${cluster}.new`;
  const passwordFile = `${cluster}.password`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  await writeFile(passwordFile, password, { mode: 0o600 });
  try {
    await chmod(draft, 0o700);
    if (user.uid !== undefined && user.gid !== undefined) for (const path of [draft, passwordFile]) await chown(path, user.uid, user.gid);
    const flags = ['--encoding=UTF8', '--locale=C', '--auth=scram-sha-256', '--no-sync', '--no-instructions'];
    await run(join(bin, 'initdb'), ['-D', draft, '-U', superuser, `--pwfile=${passwordFile}`, ...flags], {
      ...idsOf(user),
      cwd: '/',
      env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
    });
    await rename(draft, cluster);
  } catch (cause) {
    throw new DomainError(
      'postgres.initdb',
      `The database could not be made in ${cluster}:\n${reasonOf(cause).slice(-2_000)}`,
      { cluster },
      null,
      'outage',
    );
  } finally {
    await rm(passwordFile, { force: true });
  }
}

async function refuseOtherMajor(cluster: string, major: number, bin: string): Promise<void> {
  const { stdout } = await run(join(bin, 'postgres'), ['--version']);
  const server = Number(/\) (\d+)/.exec(stdout)?.[1]);
  if (server === major) return;
  throw new DomainError(
    'data.version',
    `${cluster} was made by PostgreSQL ${major}; this is ${server}.`,
    { cluster, made: major, server },
    'Choose another data folder, or start the version of FlowForge that made it.',
  );
}

async function startOnPort(command: Omit<ServerCommand, 'port'>, wanted = 0): Promise<{ server: ServerProcess; port: number }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = wanted || (await freePort());
    try {
      return { server: await startServer({ ...command, port }), port };
    } catch (error) {
      if (attempt === startAttempts || !isPassing(error, wanted)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50 * attempt));
    }
  }
}

/** A free port may be taken by another process in the meantime; sessions of a killed server leave a moment after it. */
function isPassing(error: unknown, wanted: number): boolean {
  if (!(error instanceof DomainError)) return false;
  return error.code === 'postgres.port_taken' ? wanted === 0 : error.message.includes('pre-existing shared memory block');
}
