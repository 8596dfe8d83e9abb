import { CpuTimes } from './cpu-time.ts';
import { load, machineTime, type MachineTime } from './machine.ts';

/** Processes whose work counts, by the name of their part. A part is the process and all its descendants. */
export type Parts = Readonly<Record<string, number>>;

/** What a stretch of work took. */
export interface Metered {
  readonly seconds: number;
  /** Processor time of each part in milliseconds. */
  readonly cpuMs: Readonly<Record<string, number>>;
  readonly load: number;
  /** Share of the machine that all other work took meanwhile, in percent. */
  readonly othersPercent: number;
}

/**
 * Meters the processor time of some processes. Wall times on a shared machine tell of the neighbours; processor time tells of the work. The
 * bench's own process counts only where its work is part of what is measured (a part named `bench`).
 */
export class Meter {
  private readonly began = performance.now();
  private readonly before: CpuTimes = CpuTimes.now();
  private readonly machineBefore: MachineTime = machineTime();
  private readonly ownBefore = process.cpuUsage();

  private constructor(
    private readonly parts: Parts,
    private readonly countsOwn: boolean,
  ) {}

  static begin(parts: Parts, { own = false }: { readonly own?: boolean } = {}): Meter {
    return new Meter(parts, own);
  }

  end(): Metered {
    const seconds = (performance.now() - this.began) / 1000;
    const own = process.cpuUsage(this.ownBefore);
    const ownMs = (own.user + own.system) / 1000;
    const after = CpuTimes.now();
    const machine = machineTime();
    const taken = Object.entries(this.parts).map(([part, pid]) => [part, after.treeMs(pid) - this.before.treeMs(pid)] as const);
    const cpuMs = Object.fromEntries([...taken, ...(this.countsOwn ? [['bench', ownMs] as const] : [])]);
    // The bench's own work, measured or not, is not the work of others.
    const ours = taken.reduce((sum, [, ms]) => sum + ms, 0) + ownMs;
    const all = machine.allMs - this.machineBefore.allMs;
    const busy = machine.busyMs - this.machineBefore.busyMs;
    return { seconds, cpuMs, load: load(), othersPercent: all > 0 ? Math.max(0, (100 * (busy - ours)) / all) : 0 };
  }
}

export function totalCpuMs({ cpuMs }: Metered): number {
  return Object.values(cpuMs).reduce((sum, ms) => sum + ms, 0);
}
