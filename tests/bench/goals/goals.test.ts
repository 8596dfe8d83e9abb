import { describe, expect, it } from '@jest/globals';
import { Medians, type Summary } from '../figures.ts';
import { completed, judge } from './criterion.ts';
import { GOALS } from './goals.ts';

const summary = (system: string, workload: string, values: Record<string, number>): Summary => ({
  ...{ system, workload, values, rounds: 1, cpuUs: {} },
  load: [0, 0],
  othersPercent: [0, 0],
});
const verdictsOn = (...summaries: Summary[]) => judge(GOALS, new Medians(summaries));
const metOf = (id: string, what: RegExp, ...summaries: Summary[]) =>
  verdictsOn(...summaries).find((verdict) => verdict.id === id && what.test(verdict.what))?.met;

describe('goals', () => {
  it('are P1 to P17, P19 and P21, in their order', () => {
    const numbers = [...Array.from({ length: 17 }, (_, at) => at + 1), 19, 21];
    expect(GOALS.map(({ id }) => id)).toEqual(numbers.map((number) => `P${number}`));
  });

  it('are not judged by what was not measured', () => {
    expect(verdictsOn().every(({ met, seen }) => met === null && seen === null)).toBe(true);
    expect(metOf('P3', /BullMQ/, summary('flowforge', 'W1', { runsPerSecond: 5_000 }))).toBeNull();
  });

  it('are met at their bound, and missed beyond', () => {
    const bullmq = summary('bullmq', 'W1', { runsPerSecond: 10_000 });
    expect(metOf('P3', /BullMQ/, bullmq, summary('flowforge', 'W1', { runsPerSecond: 6_000 }))).toBe(true);
    expect(metOf('P3', /BullMQ/, bullmq, summary('flowforge', 'W1', { runsPerSecond: 5_999 }))).toBe(false);
    expect(metOf('P4', /processor/, summary('flowforge', 'W1b', { cpuUs: 130 }))).toBe(true);
    expect(metOf('P4', /processor/, summary('flowforge', 'W1b', { cpuUs: 131 }))).toBe(false);
  });

  it('compare with the best of the peers that were measured', () => {
    const peers = [summary('pg-boss', 'W1', { runsPerSecond: 900 }), summary('restate', 'W1', { runsPerSecond: 1_300 })];
    expect(metOf('P3', /durable/, ...peers, summary('flowforge', 'W1', { runsPerSecond: 6_000 }))).toBe(false);
    expect(metOf('P3', /durable/, ...peers, summary('flowforge', 'W1', { runsPerSecond: 6_500 }))).toBe(true);
  });

  it('add up the floors of a latency', () => {
    const floors = [summary('limit', 'commit', { p50Ms: 0.3 }), summary('limit', 'wake-up', { p50Ms: 0.1 })];
    expect(metOf('P6', /commits/, ...floors, summary('flowforge', 'W2-idle', { p50Ms: 7.5 }))).toBe(true);
    expect(metOf('P6', /commits/, ...floors, summary('flowforge', 'W2-idle', { p50Ms: 7.6 }))).toBe(false);
  });

  it('are completed from earlier calls where this one did not measure, and the calls are named', () => {
    const soak = { command: 'npm run bench -- --soak', at: 'yesterday', goals: verdictsOn(summary('flowforge', 'SOAK', { auditOff: 0 })) };
    const here = verdictsOn(summary('flowforge', 'W1', { cpuUs: 1 }));
    const { goals, notes } = completed(here, [soak]);
    expect(goals).toHaveLength(here.length);
    expect(goals.filter(({ met }) => met !== null).map(({ id }) => id)).toEqual(['P3', 'P21']);
    expect(notes).toEqual(['P21 by another call: npm run bench -- --soak (yesterday).']);
  });
});
