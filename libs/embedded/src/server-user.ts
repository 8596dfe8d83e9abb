import { execFile, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { DomainError } from '#core';

const run = promisify(execFile);
const systemUser = 'flowforge';

/** The user that the server runs as. Without ids it is the user of this process. */
export interface ServerUser {
  readonly uid?: number;
  readonly gid?: number;
  readonly name: string;
}

/**
 * PostgreSQL refuses to run as root. An ordinary user runs it as himself; root runs it as a system user of its own, made when it is
 * missing (or as `postgres` where the machine lets no user be made), so that a fault of the server cannot touch what is root's.
 */
export async function findServerUser(): Promise<ServerUser> {
  if (process.getuid?.() !== 0) return { name: 'this user' };
  const known = (await lookUp(systemUser)) ?? (await createUser()) ?? (await lookUp('postgres'));
  if (known) return known;
  throw new DomainError(
    'postgres.no_user',
    'PostgreSQL cannot run as root, and no system user could be made for it.',
    {},
    `Create one (useradd --system ${systemUser}), or start FlowForge as an ordinary user.`,
    'outage',
  );
}

/** Whether the user can enter the folder and read it; asked of the system itself, which knows of every mode and mount above it. */
export function canEnter(user: ServerUser, folder: string): boolean {
  if (user.uid === undefined) return true;
  return spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { ...idsOf(user), stdio: 'ignore', cwd: '/' }).status === 0;
}

/** The part of `spawn`'s options that switches to the user. */
export function idsOf(user: ServerUser): { uid?: number; gid?: number } {
  return user.uid === undefined || user.gid === undefined ? {} : { uid: user.uid, gid: user.gid };
}

async function lookUp(name: string): Promise<ServerUser | undefined> {
  for (const line of (await readFile('/etc/passwd', 'utf8')).split('\n')) {
    const [login, , uid, gid] = line.split(':');
    if (login === name) return { name, uid: Number(uid), gid: Number(gid) };
  }
  return undefined;
}

async function createUser(): Promise<ServerUser | undefined> {
  const useradd = [
    'useradd',
    '--system',
    '--user-group',
    '--no-create-home',
    '--home-dir',
    '/nonexistent',
    '--shell',
    '/usr/sbin/nologin',
    systemUser,
  ];
  const busybox = ['adduser', '-S', '-D', '-H', systemUser];
  for (const [program = '', ...args] of [useradd, busybox]) {
    await run(program, args).catch(() => undefined);
    const user = await lookUp(systemUser);
    if (user) return user;
  }
  return undefined;
}
