import { readFileSync, readdirSync } from 'node:fs';

/** Linux counts processor time in ticks of 10 ms. */
const TICK_MS = 10;

interface ProcessTime {
  readonly parent: number;
  readonly ms: number;
}

/** Processor time, user and system, of every process at one moment. */
export class CpuTimes {
  private constructor(private readonly processes: ReadonlyMap<number, ProcessTime>) {}

  static now(): CpuTimes {
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    return new CpuTimes(
      new Map(
        pids.flatMap((name) => {
          const time = timeOf(Number(name));
          return time ? [[Number(name), time] as const] : [];
        }),
      ),
    );
  }

  /** Milliseconds that this process and all its descendants have taken so far, ended children included. `apart`: descendants left out, with theirs. */
  treeMs(root: number, apart: readonly number[] = []): number {
    const counted = new Set([root]);
    // Ids do not tell the order of birth: look until no further descendant is found.
    for (let grew = true; grew;) {
      grew = false;
      for (const [pid, { parent }] of this.processes) {
        if (counted.has(pid) || !counted.has(parent) || apart.includes(pid)) continue;
        counted.add(pid);
        grew = true;
      }
    }
    return [...counted].reduce((sum, pid) => sum + (this.processes.get(pid)?.ms ?? 0), 0);
  }
}

function timeOf(pid: number): ProcessTime | null {
  try {
    // The second field is the name in parentheses, which may hold anything.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11, 15);
    return { parent: fields[1] ?? 0, ms: (user + system + childUser + childSystem) * TICK_MS };
  } catch {
    return null;
  }
}

/** Resident memory of a process in bytes; 0 when it is gone. */
export function residentBytes(pid: number): number {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kilobytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}
