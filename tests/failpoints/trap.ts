import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PointName, Server } from './points.ts';

export type Action = 'kill' | 'stop' | 'cut' | 'execute-then-error';
export const ACTIONS: readonly Action[] = ['kill', 'stop', 'cut', 'execute-then-error'];

/** What is to happen, and where. */
export interface Strike {
  readonly point: PointName;
  /** Which arrival of a process counts, from 1. */
  readonly hit: number;
  readonly action: Action;
  readonly afterMs: number;
  /** Processes in which it may happen, or in their children; none: in any. */
  readonly pids: readonly number[];
  readonly server: Server;
  readonly statements: readonly string[];
  /** In every one of the processes, not only in the first that comes by. */
  readonly each?: boolean;
  /** Connections end without an error of their own. */
  readonly silently: boolean;
}

/** Who stands at the point. A step process tells its worker as its parent. */
export interface Arrival {
  readonly pid: number;
  readonly parent: number;
  /** Connections that were cut. */
  readonly broken?: number;
}

/**
 * Tells the processes under test, by files in a folder that they look into, what is to happen at which point, and hears of it
 * (tools/lib/failpoint-agent.mjs is the other side).
 */
export class Trap {
  private serial = 0;
  private id = '';

  private constructor(readonly folder: string) {}

  static async make(): Promise<Trap> {
    return new Trap(await mkdtemp(join(tmpdir(), 'flowforge-failpoints-')));
  }

  /** One strike at a time: a new one takes the place of what was armed before. */
  async arm(strike: Strike): Promise<void> {
    this.serial += 1;
    this.id = `strike-${this.serial}`;
    const draft = join(this.folder, 'armed.draft');
    await writeFile(draft, JSON.stringify({ id: this.id, ...strike }));
    await rename(draft, join(this.folder, 'armed.json'));
  }

  async disarm(): Promise<void> {
    await rm(join(this.folder, 'armed.json'), { force: true });
  }

  /** Who came to the point; `undefined`: nobody yet. */
  arrival(): Promise<Arrival | undefined> {
    return this.read('hit');
  }

  /** Whether this process stands at the point that was armed for each. */
  async hasArrived(pid: number): Promise<boolean> {
    return (await this.read(`${pid}.hit`)) !== undefined;
  }

  /** Lets this one go on, of those that stand at the point that was armed for each. */
  async letOneGo(pid: number): Promise<void> {
    await writeFile(join(this.folder, `${this.id}.${pid}.go`), '');
  }

  /** Whether a statement was executed whose answer was lost. */
  async executed(): Promise<boolean> {
    return (await this.read('executed')) !== undefined;
  }

  /** Lets the process go on that stands at the point. */
  async letGo(): Promise<void> {
    await writeFile(join(this.folder, `${this.id}.go`), '');
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  private async read(what: string): Promise<Arrival | undefined> {
    try {
      return JSON.parse(await readFile(join(this.folder, `${this.id}.${what}`), 'utf8')) as Arrival;
    } catch {
      return undefined;
    }
  }
}
