import { type Goal, atLeast, atMost, ours, ratio, valueOf } from './criterion.ts';

/** Growth: `flowforge-grown` is the same on a database with much history. */
export const GROWTH_GOALS: readonly Goal[] = [
  {
    id: 'P14',
    title: 'much history',
    criteria: [
      atLeast(0.9, '×', 'W1 ÷ empty', ratio(['flowforge-grown', 'W1', 'runsPerSecond'], ours('W1', 'runsPerSecond'))),
      atLeast(0.9, '×', 'W2 ÷ empty', ratio(['flowforge-grown', 'W2', 'stepsPerSecond'], ours('W2', 'stepsPerSecond'))),
      atMost(1.2, '×', 'p99 of W3 ÷ empty', ratio(['flowforge-grown', 'W3', 'p99Ms'], ours('W3', 'p99Ms'))),
      atMost(0, '', 'sequential scans and counts of history in hot statements', valueOf(['flowforge-grown', 'PLANS', 'faults'])),
    ],
  },
  {
    id: 'P15',
    title: 'a drain right after many finished runs',
    criteria: [
      atLeast(
        0.9,
        '×',
        'runs a second ÷ on fresh tables',
        ratio(ours('DRAIN-after', 'runsPerSecond'), ours('DRAIN-fresh', 'runsPerSecond')),
      ),
    ],
  },
  {
    id: 'P17',
    title: 'list pages of 50 over HTTP',
    criteria: [
      atMost(3, '×', 'p99 ÷ the same page with few runs', ratio(['flowforge-grown', 'LIST-first', 'p99Ms'], ours('LIST-first', 'p99Ms'))),
      atMost(10, 'ms', 'p99', valueOf(['flowforge-grown', 'LIST-first', 'p99Ms'])),
      atMost(
        1.5,
        '×',
        'p50 of far pages ÷ first pages',
        ratio(['flowforge-grown', 'LIST-far', 'p50Ms'], ['flowforge-grown', 'LIST-first', 'p50Ms']),
      ),
    ],
  },
];

/** What a long time changes. */
export const SOAK_GOALS: readonly Goal[] = [
  {
    id: 'P21',
    title: 'soak at 60 % of W1',
    criteria: [
      atMost(1.2, '×', 'p99 of the last minute ÷ the first', valueOf(ours('SOAK', 'p99Ratio'))),
      atMost(0.1, '×', 'memory gained in an hour, of what it was', valueOf(ours('SOAK', 'memoryPerHour'))),
      atMost(0, '', 'audit rows missing or too many', valueOf(ours('SOAK', 'auditOff'))),
    ],
  },
];
