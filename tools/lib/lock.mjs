import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { project } from './project.mjs';

/**
 * Runs `work` while no other script of this project and user does the same: several npm scripts may be started at once. A lock whose holder
 * is gone is taken over. `waiting` is said once when somebody else is at it.
 */
export async function withLock(purpose, waiting, work) {
  const lock = join(tmpdir(), `flowforge-${purpose}-${userInfo().uid}-${createHash('sha256').update(project).digest('hex').slice(0, 12)}`);
  for (let told = false; !takeLock(lock); told = true) {
    if (!told) console.error(waiting);
    await sleep(500);
  }
  try {
    return await work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function takeLock(lock) {
  try {
    mkdirSync(lock);
    writeFileSync(join(lock, 'pid'), String(process.pid));
    return true;
  } catch {
    const holder = readPid(join(lock, 'pid'));
    if (holder !== undefined && !isAlive(holder)) rmSync(lock, { recursive: true, force: true });
    return false;
  }
}

function readPid(path) {
  try {
    return Number(readFileSync(path, 'utf8')) || undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
