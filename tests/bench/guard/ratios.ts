import { z } from 'zod';
import type { Medians } from '../figures.ts';

/** Beyond this multiple of what was recorded, a workload has become dearer, whatever the noise. */
export const FACTOR_MAX = 1.5;

/** Processor time of workloads over that of a batched compare-and-set in the same run: a machine's pace falls out. */
export const GUARDED: Readonly<Record<string, readonly [system: string, workload: string]>> = {
  W1: ['flowforge', 'W1'],
  W1b: ['flowforge', 'W1b'],
  W2: ['flowforge', 'W2'],
  'state-machine': ['limit', 'state-machine'],
};

/** The file of what was recorded. */
export const Recorded = z.strictObject({
  at: z.string(),
  machine: z.string(),
  ratios: z.record(z.string(), z.number().positive()),
});
export type Recorded = z.infer<typeof Recorded>;

export interface GuardRow {
  readonly name: string;
  readonly ratio: number;
  readonly recorded: number | null;
  readonly passed: boolean;
}

/** Ratios of one run by name. Throws when one was not measured. */
export function ratiosOf(medians: Medians): Record<string, number> {
  const floor = medians.find('limit', 'batch', 'cpuUs');
  return Object.fromEntries(
    Object.entries(GUARDED).map(([name, [system, workload]]) => {
      const cpuUs = medians.find(system, workload, 'cpuUs');
      if (cpuUs === undefined || !floor) throw new Error(`${name} was not measured.`);
      return [name, cpuUs / floor];
    }),
  );
}

/** Each ratio beside the recorded one. What was never recorded passes; what was recorded and is no longer measured does not. */
export function compare(seen: Readonly<Record<string, number>>, recorded: Recorded): GuardRow[] {
  const names = new Set([...Object.keys(recorded.ratios), ...Object.keys(seen)]);
  return [...names].map((name) => {
    const ratio = seen[name] ?? Number.NaN;
    const before = recorded.ratios[name] ?? null;
    return { name, ratio, recorded: before, passed: before === null || ratio <= before * FACTOR_MAX };
  });
}
