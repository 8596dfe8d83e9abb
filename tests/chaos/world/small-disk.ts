import { execFile, spawn } from 'node:child_process';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { FaultNotPossible } from './types.ts';

const run = promisify(execFile);
const ROOM_MEBIBYTES = 20;

/** A folder that stands on a small disk of its own for a while. Nobody may use the folder while it moves. */
export class SmallDisk {
  private constructor(
    private readonly folder: string,
    readonly mebibytes: number,
    private readonly guard: Guard,
  ) {}

  /** Throws `FaultNotPossible` where this process may not mount. */
  static async under(folder: string): Promise<SmallDisk> {
    if (process.getuid?.() !== 0 || process.platform !== 'linux') throw new FaultNotPossible('Only root can make a small disk, on Linux.');
    const { uid, gid } = await stat(folder);
    const { stdout } = await run('du', ['-sm', folder]);
    const mebibytes = Number.parseInt(stdout, 10) + ROOM_MEBIBYTES;
    await rename(folder, asideOf(folder));
    await mkdir(folder, { mode: 0o700 });
    const guard = unmountAtTheEnd(folder);
    const options = `size=${mebibytes}m,mode=700,uid=${uid},gid=${gid}`;
    try {
      await run('mount', ['-t', 'tmpfs', '-o', options, 'chaos', folder]);
    } catch (error) {
      await rm(folder, { recursive: true });
      await rename(asideOf(folder), folder);
      guard.release();
      throw new FaultNotPossible(`No disk can be mounted: ${String(error)}`, { cause: error });
    }
    await run('cp', ['-a', `${asideOf(folder)}/.`, folder]);
    return new SmallDisk(folder, mebibytes, guard);
  }

  /** Moves what it holds back to the large disk. */
  async remove(): Promise<void> {
    const aside = asideOf(this.folder);
    await rm(aside, { recursive: true });
    await run('cp', ['-a', this.folder, aside]);
    await run('umount', [this.folder]);
    await rm(this.folder, { recursive: true });
    await rename(aside, this.folder);
    this.guard.release();
  }
}

function asideOf(folder: string): string {
  return `${folder}.large`;
}

interface Guard {
  release(): void;
}

/** The disk must not outlive this process, however that ends. */
function unmountAtTheEnd(folder: string): Guard {
  const shell = spawn('/bin/sh', ['-c', 'read -r _ || umount -l "$1"', 'sh', folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  shell.on('error', () => undefined);
  shell.unref();
  shell.stdin.on('error', () => undefined);
  return { release: () => shell.stdin.end('released\n') };
}
