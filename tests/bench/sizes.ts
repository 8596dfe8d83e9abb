/** How much of each workload one round does. */
export interface Sizes {
  /** Runs before anything is measured: compiled code, filled caches. */
  readonly warmUp: number;
  /** Single submits while nothing runs (P1), and bulk submits (P2, P12). */
  readonly submits: number;
  readonly bulkSubmits: number;
  readonly single: number;
  readonly bulk: number;
  readonly chains: number;
  readonly idleChains: number;
  readonly starts: number;
  /** Widths of the fan-out, each with the number of runs that are measured one after the other. */
  readonly fans: readonly { readonly width: number; readonly runs: number }[];
  /** Runs that wait in the queue while memory is looked at; 0: not measured. */
  readonly queued: number;
  readonly idleSubmits: number;
  readonly apiStarts: number;
  readonly limitSeconds: number;
  readonly peers: PeerSizes;
}

/** Peers that do a thousand runs a second get fewer: the rate is steady within seconds. `fast`: those that do ten times that. */
export interface PeerSizes {
  readonly warmUp: number;
  readonly single: { readonly fast: number; readonly slow: number };
  readonly bulk: { readonly fast: number; readonly slow: number };
  readonly chains: { readonly fast: number; readonly slow: number };
  readonly idleChains: number;
  readonly starts: number;
  readonly fans: number;
  readonly queued: number;
}

export const CHAIN_LENGTH = 10;
export const FAN_WIDTH = 1_000;
/** With its join as many steps as a definition may have (stepsMax). */
export const FAN_WIDTH_LARGE = 9_999;
/** Submitters at once, as many as the peers have. */
export const CONNECTIONS = 32;
/** Runs of one bulk submit. */
export const BATCH_ITEMS = 1_000;
/** Between two starts whose latency is measured, as with the peers. */
export const GAP_MS = 2;

const FULL: Sizes = {
  warmUp: 4_000,
  submits: 20_000,
  bulkSubmits: 20_000,
  single: 20_000,
  bulk: 20_000,
  chains: 1_000,
  idleChains: 30,
  starts: 500,
  fans: [
    { width: FAN_WIDTH, runs: 5 },
    { width: FAN_WIDTH_LARGE, runs: 1 },
  ],
  queued: 100_000,
  idleSubmits: 500,
  apiStarts: 5,
  limitSeconds: 3,
  peers: {
    warmUp: 500,
    single: { fast: 20_000, slow: 5_000 },
    bulk: { fast: 20_000, slow: 10_000 },
    chains: { fast: 1_000, slow: 300 },
    idleChains: 10,
    starts: 300,
    fans: 2,
    queued: 5_000,
  },
};

const QUICK: Sizes = {
  warmUp: 1_000,
  submits: 2_000,
  bulkSubmits: 4_000,
  single: 3_000,
  bulk: 4_000,
  chains: 100,
  idleChains: 10,
  starts: 100,
  fans: [
    { width: FAN_WIDTH, runs: 2 },
    { width: FAN_WIDTH_LARGE, runs: 1 },
  ],
  queued: 0,
  idleSubmits: 200,
  apiStarts: 2,
  limitSeconds: 0.8,
  peers: {
    warmUp: 100,
    single: { fast: 3_000, slow: 600 },
    bulk: { fast: 4_000, slow: 2_000 },
    chains: { fast: 100, slow: 30 },
    idleChains: 5,
    starts: 50,
    fans: 1,
    queued: 1_000,
  },
};

export function sizesOf(quick: boolean): Sizes {
  return quick ? QUICK : FULL;
}
