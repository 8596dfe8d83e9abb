import { readFileSync, readdirSync } from 'node:fs';

/** Linux counts processor time in ticks of 10 ms. */
const TICK_MS = 10;

interface ProcessTime {
  readonly parent: number;
  readonly ms: number;
}

/** Processor time, user and system, that these processes and all their descendants have taken so far, ended children included. */
export function cpuMs(roots: readonly number[]): number {
  const processes = new Map(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => {
        const time = timeOf(Number(name));
        return time ? [[Number(name), time] as const] : [];
      }),
  );
  const counted = new Set(roots);
  // Ids do not tell the order of birth: look until no further descendant is found.
  for (let grew = true; grew;) {
    grew = false;
    for (const [pid, { parent }] of processes) {
      if (!counted.has(pid) && counted.has(parent)) {
        counted.add(pid);
        grew = true;
      }
    }
  }
  return [...counted].reduce((sum, pid) => sum + (processes.get(pid)?.ms ?? 0), 0);
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
