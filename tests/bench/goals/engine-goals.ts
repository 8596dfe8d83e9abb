import { type Goal, atLeast, atMost, limit, ours, ratio, valueOf } from './criterion.ts';

/** What the engine does and takes by itself. */
export const ENGINE_GOALS: readonly Goal[] = [
  {
    id: 'P9',
    title: 'audited transitions by the engine’s statements',
    criteria: [
      atLeast(
        0.6,
        '×',
        'transitions a second ÷ batches of compare-and-set',
        ratio(limit('state-machine', 'transitionsPerSecond'), limit('batch', 'rowsPerSecond')),
      ),
      atMost(1.5, '×', 'processor time ÷ theirs', ratio(limit('state-machine', 'cpuUs'), limit('batch', 'cpuUs'))),
    ],
  },
  {
    id: 'P10',
    title: 'the same with the sealer running',
    criteria: [
      atMost(1.3, '×', 'processor time ÷ P9', ratio(limit('sealed', 'cpuUs'), limit('state-machine', 'cpuUs'))),
      atLeast(
        0.5,
        '×',
        'transitions a second ÷ P9',
        ratio(limit('sealed', 'transitionsPerSecond'), limit('state-machine', 'transitionsPerSecond')),
      ),
    ],
  },
  {
    id: 'P12',
    title: 'store of a queued run',
    criteria: [
      atMost(0.75, '×', 'bytes ÷ DBOS', ratio(ours('S1b', 'bytesPerRun'), ['dbos', 'MEM', 'bytesPerRun'])),
      atMost(500, 'B', 'bytes of a run', valueOf(ours('S1b', 'bytesPerRun'))),
    ],
  },
  {
    id: 'P13',
    title: 'memory with 100,000 queued runs',
    criteria: [
      atMost(5, 'MB', 'growth of api, scheduler and worker per 100,000', valueOf(ours('MEM', 'growthMegabytesPer100k'))),
      atMost(1.05, '×', 'memory ÷ before', valueOf(ours('MEM', 'growthRatio'))),
    ],
  },
  {
    id: 'P16',
    title: 'resolving among 10,000 teams × 5 environments',
    criteria: [
      atMost(3, '×', 'time ÷ three look-ups in a Map', ratio(limit('resolve', 'resolveNs'), limit('resolve', 'mapNs'))),
      atMost(1_000, 'ns', 'time', valueOf(limit('resolve', 'resolveNs'))),
    ],
  },
  {
    id: 'P19',
    title: 'start of an api until it is ready',
    criteria: [
      atMost(1.3, '×', 'time ÷ bare Nest + Fastify', ratio(limit('cold-start', 'apiMs'), limit('cold-start', 'bareMs'))),
      atMost(1_000, 'ms', 'time', valueOf(limit('cold-start', 'apiMs'))),
      atMost(150, 'MB', 'memory', valueOf(limit('cold-start', 'apiMegabytes'))),
    ],
  },
];
