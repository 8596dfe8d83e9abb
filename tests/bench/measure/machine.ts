import { readFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';

const TICK_MS = 10;

/** Processor time of the whole machine so far, in milliseconds over all cores. */
export interface MachineTime {
  readonly busyMs: number;
  readonly allMs: number;
}

export function machineTime(): MachineTime {
  const line = readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '';
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, interrupts = 0, soft = 0, stolen = 0] = line
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number);
  const busy = user + nice + system + interrupts + soft;
  return { busyMs: busy * TICK_MS, allMs: (busy + idle + wait + stolen) * TICK_MS };
}

/** The load of the last minute. */
export function load(): number {
  return loadavg()[0] ?? 0;
}

/** For the head of a report. */
export function describeMachine(): string {
  const cores = cpus();
  return `${cores.length} × ${cores[0]?.model.trim() ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`;
}
