import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const prefix = 'flowforge-test';
let swept: Promise<void> | undefined;

/** A new temporary folder that carries this process's pid in its name: the next test run removes what a killed one has left. */
export async function makeTestFolder(purpose: string): Promise<string> {
  await (swept ??= sweep());
  const folder = await mkdtemp(join(tmpdir(), `${prefix}-${process.pid}-${purpose}-`));
  // Servers that root starts run as a system user, who must get through to their files.
  await chmod(folder, 0o711);
  return folder;
}

async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = Number(new RegExp(`^${prefix}-(\\d+)-`).exec(name)?.[1]);
    if (pid && !isAlive(pid)) await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => undefined);
  }
}

/** Whether a process with this pid exists, ours or another user's. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return typeof error === 'object' && error !== null && 'code' in error && error.code === 'EPERM';
  }
}
