import { type Goal, atLeast, atMost, best, ours, ratio, valueOf } from './criterion.ts';
import { DBOS, DURABLE, PG_BOSS } from './peer-groups.ts';

/** From the submit to the durable end. */
export const RUN_GOALS: readonly Goal[] = [
  {
    id: 'P3',
    title: 'W1: single-step runs, one POST each',
    criteria: [
      atLeast(5, '×', 'runs a second ÷ the best durable peer', ratio(ours('W1', 'runsPerSecond'), best(DURABLE, 'W1', 'runsPerSecond'))),
      atLeast(0.6, '×', 'runs a second ÷ BullMQ on Redis', ratio(ours('W1', 'runsPerSecond'), ['bullmq', 'W1', 'runsPerSecond'])),
      atMost(350, 'µs', 'processor time of a run', valueOf(ours('W1', 'cpuUs'))),
    ],
  },
  {
    id: 'P4',
    title: 'W1b: the same, 1,000 a POST',
    criteria: [
      atLeast(1, '×', 'runs a second ÷ BullMQ addBulk on Redis', ratio(ours('W1b', 'runsPerSecond'), ['bullmq', 'W1b', 'runsPerSecond'])),
      atLeast(
        0.4,
        '×',
        'runs a second ÷ pg-boss in batches',
        ratio(ours('W1b', 'runsPerSecond'), ['pg-boss-batched', 'W1b', 'runsPerSecond']),
      ),
      atMost(130, 'µs', 'processor time of a run', valueOf(ours('W1b', 'cpuUs'))),
    ],
  },
  {
    id: 'P5',
    title: 'W2: chains of ten steps',
    criteria: [
      atLeast(1.5, '×', 'steps a second ÷ BullMQ flows on Redis', ratio(ours('W2', 'stepsPerSecond'), ['bullmq', 'W2', 'stepsPerSecond'])),
      atLeast(1.8, '×', 'steps a second ÷ Restate', ratio(ours('W2', 'stepsPerSecond'), ['restate', 'W2', 'stepsPerSecond'])),
      atLeast(8, '×', 'steps a second ÷ DBOS', ratio(ours('W2', 'stepsPerSecond'), best(DBOS, 'W2', 'stepsPerSecond'))),
      atMost(180, 'µs', 'processor time of a step', valueOf(ours('W2', 'cpuUs'))),
    ],
  },
  {
    id: 'P8',
    title: 'W4: parallel branches and a join',
    criteria: [
      atMost(1, '×', '1,000 branches ÷ BullMQ flows', ratio(ours('W4-1000', 'ms'), ['bullmq', 'W4-1000', 'ms'])),
      atMost(0.35, '×', '1,000 branches ÷ pg-boss', ratio(ours('W4-1000', 'ms'), best(PG_BOSS, 'W4-1000', 'ms', 'lowest'))),
      atMost(0.3, '×', '1,000 branches ÷ Restate', ratio(ours('W4-1000', 'ms'), ['restate', 'W4-1000', 'ms'])),
      atMost(11, '×', '9,999 branches ÷ 1,000', ratio(ours('W4-9999', 'ms'), ours('W4-1000', 'ms'))),
    ],
  },
];
