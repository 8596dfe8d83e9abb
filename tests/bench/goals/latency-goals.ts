import { type Goal, atMost, limit, ours, ratio, sum } from './criterion.ts';

/** How soon something happens on an idle system. */
export const LATENCY_GOALS: readonly Goal[] = [
  {
    id: 'P6',
    title: 'one idle chain of ten steps',
    criteria: [
      atMost(1, '×', 'p50 ÷ Restate', ratio(ours('W2-idle', 'p50Ms'), ['restate', 'W2-idle', 'p50Ms'])),
      atMost(
        1.5,
        '×',
        'p50 ÷ (10 commits + 20 wake-ups)',
        ratio(ours('W2-idle', 'p50Ms'), sum([10, limit('commit', 'p50Ms')], [20, limit('wake-up', 'p50Ms')])),
      ),
    ],
  },
  {
    id: 'P7',
    title: 'W3: from the POST to the step',
    criteria: [
      atMost(0.8, '×', 'p50 ÷ Restate', ratio(ours('W3', 'p50Ms'), ['restate', 'W3', 'p50Ms'])),
      atMost(1.1, '×', 'p50 ÷ DBOS in one process', ratio(ours('W3', 'p50Ms'), ['dbos-local', 'W3', 'p50Ms'])),
      atMost(
        1.5,
        '×',
        'p50 ÷ (HTTP + 1 commit + 2 wake-ups)',
        ratio(ours('W3', 'p50Ms'), sum([1, limit('http-idle', 'p50Ms')], [1, limit('commit', 'p50Ms')], [2, limit('wake-up', 'p50Ms')])),
      ),
      atMost(5, '×', 'p99 ÷ p50', ratio(ours('W3', 'p99Ms'), ours('W3', 'p50Ms'))),
    ],
  },
];
