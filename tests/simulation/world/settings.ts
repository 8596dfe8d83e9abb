import type { Rule } from '../database/rules.ts';
import { MESSAGE_FAULTS, type MessageFault } from '../network/weather.ts';
import { Random } from '../virtual/random.ts';

/** Faults of whole processes and servers. */
export const PROCESS_FAULTS = [
  'scheduler crash',
  'worker crash',
  'api crash',
  'scheduler pause',
  'worker pause',
  'worker drain',
  'scheduler stop',
  'streams wiped',
  'stream dropped',
  'group destroyed',
  'streams away',
  'streams away and wiped',
  'database away',
  'sessions ended',
  'old message',
  'restore',
] as const;
export type ProcessFault = (typeof PROCESS_FAULTS)[number];

/** What a seed decides before anything happens. */
export interface WorldSettings {
  readonly seed: number;
  readonly schedulers: number;
  readonly workers: number;
  readonly runs: number;
  readonly deployments: number;
  readonly times: { readonly lease: number; readonly heartbeat: number; readonly sweep: number };
  readonly slowness: number;
  readonly probabilities: ReadonlyMap<MessageFault, number>;
  readonly processFaults: readonly { readonly atMs: number; readonly fault: ProcessFault }[];
  /** Faults stop here. */
  readonly calmAtMs: number;
  /** Workers and messages are safe: whatever fails, no step may be taken for lost. */
  readonly isSteadfast: boolean;
  /** No message comes twice and no worker hands one back: each token is run by one process. */
  readonly deliversOnce: boolean;
  /** Some steps end their workers. */
  readonly hasPoison: boolean;
  /** All schedulers believe that they lead. */
  readonly everyoneLeads: boolean;
  readonly streamLengthMax: number;
  readonly broken: ReadonlySet<Rule>;
}

/** Faults by which neither a worker nor a message can be lost. The first scheduler is spared by them. */
const SAFE_MESSAGE_FAULTS: ReadonlySet<MessageFault> = new Set([
  'request lost',
  'message doubled',
  'event lost',
  'event doubled',
  'statement lost',
  'commit answer lost',
]);
const SAFE_PROCESS_FAULTS: ReadonlySet<ProcessFault> = new Set(['scheduler crash', 'scheduler stop', 'api crash']);
/** Two heartbeats lost in a row cost a lease, as they should: rare enough not to happen where nothing may be lost. */
const STEADFAST: Partial<Record<MessageFault, number>> = { 'request lost': -3.2 };
/** Faults after which a message may come twice under one token. */
const DOUBLING: ReadonlySet<string> = new Set([
  'message doubled',
  'old message',
  'group destroyed',
  'worker drain',
  'stream dropped',
  'restore',
]);

/** `crowded`: as all worlds were at first; seeds that failed then are replayed so. */
export function settingsOf(seed: number, broken: ReadonlySet<Rule> = new Set(), crowded = false): WorldSettings {
  const random = new Random(seed, 2);
  const isSteadfast = random.chance(0.15);
  // Most worlds are small, for what breaks breaks in few runs and many worlds; some are crowded.
  const isCrowded = crowded || random.chance(0.06);
  const calmAtMs = isCrowded ? random.between(3_000, 8_000) : random.between(1_000, 3_000);
  const kinds = PROCESS_FAULTS.filter((fault) => random.chance(0.4) && (!isSteadfast || SAFE_PROCESS_FAULTS.has(fault)));
  const count = kinds.length === 0 ? 0 : random.int(0, isCrowded ? 10 : 5);
  const probabilities = new Map(
    MESSAGE_FAULTS.flatMap((fault): [MessageFault, number][] =>
      random.chance(0.4) && (!isSteadfast || SAFE_MESSAGE_FAULTS.has(fault))
        ? [[fault, 10 ** random.between(-3.5, isSteadfast ? (STEADFAST[fault] ?? -2) : -1.3)]]
        : [],
    ),
  );
  return {
    seed,
    schedulers: crowded ? random.int(2, 3) : isCrowded || random.chance(0.2) ? 3 : 2,
    workers: isCrowded ? random.int(2, 4) : 2,
    runs: isCrowded ? random.int(10, 30) : random.int(2, 5),
    deployments: random.int(1, 2),
    times: { lease: 1, heartbeat: 0.3, sweep: 0.5 },
    slowness: isSteadfast ? 0 : random.pick([0, 0.01, 0.1]),
    probabilities,
    processFaults: Array.from({ length: count }, () => ({ atMs: random.between(100, calmAtMs), fault: random.pick(kinds) })),
    calmAtMs,
    isSteadfast,
    deliversOnce: ![...kinds, ...probabilities.keys()].some((fault) => DOUBLING.has(fault)),
    hasPoison: !isSteadfast && random.chance(0.3),
    everyoneLeads: random.chance(0.15),
    // Above what a worker reports at once: a batch that never fits is no fault of the protocol.
    streamLengthMax: random.chance(0.2) ? random.int(40, 80) : 100_000,
    broken,
  };
}
