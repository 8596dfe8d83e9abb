import { describe, expect, it } from '@jest/globals';
import { Medians, type Summary } from '../figures.ts';
import { compare, FACTOR_MAX, ratiosOf } from './ratios.ts';

const recorded = { at: '2026-11-21', machine: 'two cores', ratios: { W1: 40, W2: 20 } };
const summary = (system: string, workload: string, cpuUs: number): Summary => ({
  ...{ system, workload, values: { cpuUs }, rounds: 3, cpuUs: {} },
  load: [0, 0],
  othersPercent: [0, 0],
});

describe('the guard', () => {
  it('passes up to one and a half times what was recorded, and not beyond', () => {
    const passes = (W1: number) => compare({ W1, W2: 20 }, recorded).every(({ passed }) => passed);
    expect([passes(40), passes(40 * FACTOR_MAX), passes(40 * FACTOR_MAX + 0.1)]).toEqual([true, true, false]);
  });

  it('does not pass what is no longer measured', () => {
    expect(compare({ W1: 40 }, recorded).find(({ name }) => name === 'W2')).toMatchObject({ passed: false });
  });

  it('lets what is new pass until it is recorded', () => {
    expect(compare({ W1: 40, W2: 20, W9: 1_000 }, recorded).find(({ name }) => name === 'W9')).toMatchObject({
      recorded: null,
      passed: true,
    });
  });

  it('takes the pace of the machine out', () => {
    const all = [
      summary('flowforge', 'W1', 300),
      summary('flowforge', 'W1b', 150),
      summary('flowforge', 'W2', 100),
      summary('limit', 'state-machine', 12),
    ];
    expect(ratiosOf(new Medians([...all, summary('limit', 'batch', 10)]))).toEqual({ W1: 30, W1b: 15, W2: 10, 'state-machine': 1.2 });
    expect(() => ratiosOf(new Medians(all))).toThrow(/W1 was not measured/);
  });
});
