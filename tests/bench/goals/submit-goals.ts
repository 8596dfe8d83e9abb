import { type Goal, atLeast, atMost, best, limit, ours, ratio, sum, valueOf } from './criterion.ts';
import { ON_POSTGRES, PG_BOSS } from './peer-groups.ts';

/** What an accepted submit costs. */
export const SUBMIT_GOALS: readonly Goal[] = [
  {
    id: 'P1',
    title: 'submit by API',
    criteria: [
      atLeast(
        10,
        '×',
        'submits a second ÷ the best in-process submit of a peer on PostgreSQL',
        ratio(ours('S1', 'submitPerSecond'), best(ON_POSTGRES, 'W1', 'submitPerSecond')),
      ),
      atLeast(
        0.5,
        '×',
        'submits a second ÷ bare Nest + Fastify without a database',
        ratio(ours('S1', 'submitPerSecond'), limit('http', 'requestsPerSecond')),
      ),
      atMost(180, 'µs', 'processor time of a submit', valueOf(ours('S1', 'cpuUs'))),
    ],
  },
  {
    id: 'P2',
    title: 'bulk submit',
    criteria: [
      atLeast(
        0.4,
        '×',
        'runs a second ÷ a third of the rows a second that inserts of a thousand reach',
        ratio(ours('S1b', 'submitPerSecond'), sum([1 / 3, limit('insert', 'rowsPerSecond')])),
      ),
      atLeast(1, '×', "runs a second ÷ pg-boss's insert", ratio(ours('S1b', 'submitPerSecond'), best(PG_BOSS, 'W1b', 'submitPerSecond'))),
    ],
  },
  {
    id: 'P11',
    title: 'grouping when idle',
    criteria: [
      atMost(
        1.05,
        '×',
        'a submit through the grouping lane ÷ one without it (p50)',
        ratio(limit('grouping', 'groupedP50Ms'), limit('grouping', 'aloneP50Ms')),
      ),
    ],
  },
];
