import { describe, expect, it } from '@jest/globals';
import { type Figure, Medians, figureOf, summarize } from './figures.ts';

const figure = (workload: string, values: Record<string, number>, load = 1): Figure => ({
  system: 'flowforge',
  workload,
  values,
  cpuUs: { api: values['cpuUs'] ?? 0 },
  load,
  othersPercent: load * 10,
});

describe('figures', () => {
  it('counts the processor time of every part per run', () => {
    const metered = { seconds: 2, cpuMs: { api: 200, worker: 100 }, load: 1, othersPercent: 5 };
    expect(figureOf('flowforge', 'W1', 1_000, metered, { runsPerSecond: 500 })).toMatchObject({
      values: { runsPerSecond: 500, cpuUs: 300 },
      cpuUs: { api: 200, worker: 100 },
    });
  });

  it('takes medians over the rounds, and the range of the load', () => {
    const [summary] = summarize([figure('W1', { rate: 5 }, 1), figure('W1', { rate: 9 }, 4), figure('W1', { rate: 7 }, 2)]);
    expect(summary).toMatchObject({ rounds: 3, values: { rate: 7 }, load: [1, 4], othersPercent: [10, 40] });
  });

  it('finds what was measured, and nothing else', () => {
    const medians = new Medians(summarize([figure('W1', { rate: 5, p50Ms: Number.NaN })]));
    expect(medians.find('flowforge', 'W1', 'rate')).toBe(5);
    expect(medians.find('flowforge', 'W1', 'p50Ms')).toBeUndefined();
    expect(medians.find('pg-boss', 'W1', 'rate')).toBeUndefined();
  });
});
