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
  readonly streamLengthMax: number;
  readonly broken: ReadonlySet<Rule>;
}

export function settingsOf(seed: number, broken: ReadonlySet<Rule> = new Set()): WorldSettings {
  const random = new Random(seed, 2);
  const isFaultless = random.chance(0.05);
  const calmAtMs = random.between(3_000, 8_000);
  const kinds = PROCESS_FAULTS.filter(() => random.chance(0.4));
  const count = isFaultless || kinds.length === 0 ? 0 : random.int(1, 10);
  const probabilities = new Map(
    MESSAGE_FAULTS.flatMap((fault): [MessageFault, number][] =>
      !isFaultless && random.chance(0.4) ? [[fault, 10 ** random.between(-3.5, -1.3)]] : [],
    ),
  );
  return {
    seed,
    schedulers: random.int(2, 3),
    workers: random.int(2, 4),
    runs: random.int(10, 30),
    deployments: random.int(1, 2),
    times: { lease: 1, heartbeat: 0.3, sweep: 0.5 },
    slowness: random.pick([0, 0.01, 0.1]),
    probabilities,
    processFaults: Array.from({ length: count }, () => ({ atMs: random.between(100, calmAtMs), fault: random.pick(kinds) })),
    calmAtMs,
    // Above what a worker reports at once: a batch that never fits is no fault of the protocol.
    streamLengthMax: random.chance(0.2) ? random.int(40, 80) : 100_000,
    broken,
  };
}
