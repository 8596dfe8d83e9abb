import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError } from '#core';
import { systemCode } from './faults.ts';
import { processIdentity } from './process-identity.ts';

const lockName = 'flowforge.lock';
const attemptsMax = 10;

/** A claim of this process on a folder. `release` gives it up; doing so twice is safe. */
export interface FolderLock {
  release(): Promise<void>;
}

interface Holder {
  readonly pid: number;
  readonly identity: string;
}

/**
 * Claims a folder for this process. Throws the refusal `data.locked`, with the holder's pid, when a living process has it; the claim of
 * a dead one is taken over. The file appears by `link`, which is atomic, so that no reader ever sees it half-written.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const path = join(folder, lockName);
  const mine = JSON.stringify({ pid: process.pid, identity: processIdentity(process.pid) });
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, mine, { mode: 0o644 });
  try {
    for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
      if (await claims(draft, path)) return { release: () => release(path, mine) };
      const theirs = await readFile(path, 'utf8').catch(() => '');
      const holder = parseHolder(theirs);
      if (holder && processIdentity(holder.pid) === holder.identity) throw lockedError(folder, holder.pid);
      if (theirs !== '') await removeStale(path, theirs);
    }
    throw new DomainError(
      'data.lock_contended',
      `${folder} is being taken by several processes at once.`,
      { folder },
      'Try again.',
      'outage',
    );
  } finally {
    await rm(draft, { force: true });
  }
}

function lockedError(folder: string, pid: number): DomainError {
  return new DomainError(
    'data.locked',
    `The data folder ${folder} is in use by process ${pid}.`,
    { folder, pid },
    `Stop process ${pid} first, or choose another data folder.`,
  );
}

async function claims(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Two processes may find the same dead claim: the slower one must not remove the claim that the faster one has made meanwhile. */
async function removeStale(path: string, stale: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  const moved = await rename(path, aside).then(
    () => true,
    () => false,
  );
  if (!moved) return;
  if ((await readFile(aside, 'utf8')) !== stale) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
}

async function release(path: string, mine: string): Promise<void> {
  const current = await readFile(path, 'utf8').catch(() => undefined);
  if (current === mine) await unlink(path).catch(() => undefined);
}

function parseHolder(text: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('pid' in value) || !('identity' in value)) return undefined;
    return typeof value.pid === 'number' && typeof value.identity === 'string' ? { pid: value.pid, identity: value.identity } : undefined;
  } catch {
    return undefined;
  }
}
