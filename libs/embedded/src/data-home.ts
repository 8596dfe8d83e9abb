import { randomUUID } from 'node:crypto';
import { chmod, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DomainError } from '#core';
import { reasonOf } from './faults.ts';
import { type ServerUser, canEnter } from './server-user.ts';

const pointerName = 'postgres.location';
const farAway = '/var/lib/flowforge';

/**
 * The folder that holds the cluster, its password and its log: the data folder itself, or, where root's system user cannot enter that
 * (a home of mode 0700), a folder under /var/lib/flowforge that the file `postgres.location` in the data folder points to.
 */
export async function openDataHome(dataDir: string, user: ServerUser): Promise<string> {
  const folder = resolve(dataDir);
  await makeDataFolder(folder, user);
  const pointed = await readFile(join(folder, pointerName), 'utf8').then(
    (text) => text.trim(),
    () => undefined,
  );
  if (pointed) return await followPointer(folder, pointed);
  if (canEnter(user, folder)) return folder;
  return await settleFarAway(folder, user);
}

/** Deletes what the database has in the data folder and in its home, and nothing else that lies there. */
export async function removeData(dataDir: string, home: string): Promise<void> {
  for (const name of ['postgres', 'superuser.password', 'postgres.log', 'postgres.log.1'])
    await rm(join(home, name), { recursive: true, force: true });
  if (resolve(dataDir) === home) return;
  await rm(home, { recursive: true, force: true });
  await rm(join(dataDir, pointerName), { force: true });
}

/** Root's folder lets the server's user pass through to the cluster, but not list it; what is secret in it is 0600. */
async function makeDataFolder(folder: string, user: ServerUser): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if (user.uid !== undefined) await chmod(folder, (await stat(folder)).mode | 0o711);
  } catch (cause) {
    throw new DomainError(
      'data.unwritable',
      `The data folder ${folder} cannot be used: ${reasonOf(cause)}`,
      { folder },
      'Choose another data folder.',
    );
  }
}

async function followPointer(folder: string, home: string): Promise<string> {
  if (await stat(home).catch(() => undefined)) return home;
  throw new DomainError(
    'data.pointer_broken',
    `${join(folder, pointerName)} points to ${home}, which is not there.`,
    { folder, home },
    'Bring that folder back, or remove the file to begin with an empty database.',
  );
}

async function settleFarAway(folder: string, user: ServerUser): Promise<string> {
  const home = join(farAway, randomUUID());
  try {
    await mkdir(home, { recursive: true, mode: 0o711 });
    if (!canEnter(user, home)) throw new Error(`${user.name} cannot enter ${farAway}`);
    const draft = join(folder, `${pointerName}.${randomUUID()}`);
    await writeFile(draft, `${home}\n`, { mode: 0o644 });
    await rename(draft, join(folder, pointerName));
    return home;
  } catch (cause) {
    throw new DomainError(
      'data.unreachable',
      `The database server runs as ${user.name}, who can enter neither ${folder} nor ${farAway} (${reasonOf(cause)}).`,
      { folder },
      'Choose a data folder outside of a private home folder, or start FlowForge as an ordinary user.',
    );
  }
}
