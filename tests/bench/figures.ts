import { median } from './measure/statistics.ts';
import { totalCpuMs, type Metered } from './measure/meter.ts';

/** What was measured once: by whom, what, and under which conditions. */
export interface Figure {
  /** `flowforge`, `limit`, or a peer. */
  readonly system: string;
  /** `W1`, `W2-idle`, `batch`, … */
  readonly workload: string;
  /** By name with unit: `runsPerSecond`, `p50Ms`, `cpuMsPerRun`. */
  readonly values: Readonly<Record<string, number>>;
  /** Processor time per run (per step of W2 and W4, per row of a limit) of each part, in microseconds. */
  readonly cpuUs: Readonly<Record<string, number>>;
  readonly load: number;
  readonly othersPercent: number;
}

/** A figure of metered work on `count` runs, steps or rows; its processor time per one of them in all is `cpuUs`. */
export function figureOf(
  system: string,
  workload: string,
  count: number,
  metered: Metered,
  values: Readonly<Record<string, number>>,
): Figure {
  const parts = Object.entries(metered.cpuMs).map(([part, ms]) => [part, (ms * 1000) / count] as const);
  return {
    system,
    workload,
    values: { ...values, cpuUs: (totalCpuMs(metered) * 1000) / count },
    cpuUs: Object.fromEntries(parts),
    load: metered.load,
    othersPercent: metered.othersPercent,
  };
}

/** Figures of one system and workload over all rounds: medians, and the range of what else the machine did. */
export interface Summary {
  readonly system: string;
  readonly workload: string;
  readonly rounds: number;
  readonly values: Readonly<Record<string, number>>;
  readonly cpuUs: Readonly<Record<string, number>>;
  readonly load: readonly [lowest: number, highest: number];
  readonly othersPercent: readonly [lowest: number, highest: number];
}

/** In the order in which systems and workloads were first measured. */
export function summarize(figures: readonly Figure[]): Summary[] {
  const groups = Map.groupBy(figures, ({ system, workload }) => `${system} ${workload}`);
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    return [
      {
        system: first.system,
        workload: first.workload,
        rounds: group.length,
        values: mediansOf(group.map(({ values }) => values)),
        cpuUs: mediansOf(group.map(({ cpuUs }) => cpuUs)),
        load: rangeOf(group.map(({ load }) => load)),
        othersPercent: rangeOf(group.map(({ othersPercent }) => othersPercent)),
      },
    ];
  });
}

/** Finds medians by system, workload and name; undefined when that was not measured. */
export class Medians {
  constructor(private readonly summaries: readonly Summary[]) {}

  find(system: string, workload: string, name: string): number | undefined {
    const summary = this.summaries.find((one) => one.system === system && one.workload === workload);
    const value = summary?.values[name];
    return value !== undefined && Number.isFinite(value) ? value : undefined;
  }
}

function mediansOf(records: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const names = [...new Set(records.flatMap((record) => Object.keys(record)))];
  return Object.fromEntries(names.map((name) => [name, median(records.flatMap((record) => record[name] ?? []))]));
}

function rangeOf(values: readonly number[]): [number, number] {
  return [Math.min(...values), Math.max(...values)];
}
