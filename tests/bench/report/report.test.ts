import { describe, expect, it } from '@jest/globals';
import { Medians, type Summary } from '../figures.ts';
import { judge } from '../goals/criterion.ts';
import { GOALS } from '../goals/goals.ts';
import { barsPicture } from './bars.ts';
import { markdownOf } from './markdown.ts';
import { shown, shownRange } from './numbers.ts';

const summary = (system: string, workload: string, values: Record<string, number>): Summary => ({
  ...{ system, workload, values, rounds: 3, cpuUs: { api: 100.4, postgres: 200 } },
  load: [1, 2.5],
  othersPercent: [0, 30],
});
const summaries = [
  summary('flowforge', 'W1', { runsPerSecond: 4_321.4, cpuUs: 300 }),
  summary('limit', 'batch', { rowsPerSecond: 200_000, cpuUs: 6.8 }),
];

describe('the report', () => {
  it.each([
    [undefined, '–'],
    [Number.NaN, '–'],
    [123_456.7, '123,457'],
    [12.345, '12.3'],
    [1.2345, '1.23'],
    [0.012345, '0.012'],
  ])('shows %p as %s', (value, text) => expect(shown(value)).toBe(text));

  it('shows a range, and one number where its ends look the same', () => {
    expect(shownRange([1.04, 3.4], 1)).toBe('1.0–3.4');
    expect(shownRange([1.01, 1.04], 1)).toBe('1.0');
  });

  it('tells every figure with its processor time and what else the machine did, and the goals that it misses', () => {
    const goals = judge(GOALS, new Medians(summaries));
    const page = markdownOf({
      ...{ at: '2026-11-21T12:00:00Z', machine: 'two cores', command: 'npm run bench', rounds: 3, servers: { fsync: 'on' }, limitsSet: {} },
      ...{
        figures: [],
        summaries,
        goals,
        audits: [{ runs: 2, succeeded: 2, audit: 12, runsDue: 2, auditDue: 12, exact: true }],
        notes: ['a word'],
      },
    });
    expect(page).toContain('| flowforge | W1 | – | 4,321 | – | – | – | – | 300 | api 100, postgres 200 | 1.0–2.5 | 0–30 |');
    expect(page).toContain('| batch | rows/s 200,000 | 6.80 | 1.0–2.5 | 0–30 |');
    expect(page).toMatch(/P3 .* processor time of a run \| ≤ 350 µs \| 300 µs \| met \|/);
    expect(page).toContain('12 rows of 2 runs, exactly those that are due');
    expect(page).toContain('- a word');
  });

  it('draws bars to one scale, with names that a picture may hold', () => {
    const picture = barsPicture('rates', 'quiet', [
      {
        title: 'W1',
        unit: 'runs/s',
        bars: [
          { label: 'a<b', parts: [{ name: 'a', value: 50 }] },
          {
            label: 'flowforge',
            parts: [
              { name: 'api', value: 60 },
              { name: 'redis', value: 40 },
            ],
          },
        ],
      },
    ]);
    expect(picture).toContain('a&lt;b');
    expect(picture).toContain('100 runs/s');
    const widths = [...picture.matchAll(/width="([\d.]+)" height="18"/g)].map(([, width]) => Number(width));
    expect(widths).toEqual([280, 336, 224]);
  });
});
