/** A peer in one of its ways to be set up. */
export interface Peer {
  /** As in the options and the figures. */
  readonly name: string;
  /** File in `peers/adapters/`. */
  readonly adapter: string;
  readonly mode: string;
  /** Thousands of runs a second rather than one thousand: it gets more of them. */
  readonly fast: { readonly single: boolean; readonly bulk: boolean; readonly chains: boolean };
  readonly bulk: boolean;
  /** Where a queued run lies that nobody has taken; null: not measured. */
  readonly store: 'postgres' | 'redis' | null;
}

const SLOW = { single: false, bulk: false, chains: false };

/** All that can be measured beside, by name. */
export const PEER_CATALOG: readonly Peer[] = [
  { name: 'bullmq', adapter: 'bullmq', mode: 'redis', fast: { single: true, bulk: true, chains: true }, bulk: true, store: 'redis' },
  { name: 'bullmq-postgres', adapter: 'bullmq', mode: 'postgres', fast: SLOW, bulk: true, store: 'postgres' },
  { name: 'restate', adapter: 'restate', mode: 'stock', fast: { single: false, bulk: false, chains: true }, bulk: false, store: null },
  { name: 'pg-boss', adapter: 'pg-boss', mode: 'stock', fast: { ...SLOW, bulk: true }, bulk: true, store: 'postgres' },
  { name: 'pg-boss-batched', adapter: 'pg-boss', mode: 'batched', fast: { ...SLOW, bulk: true }, bulk: true, store: null },
  { name: 'dbos', adapter: 'dbos', mode: 'queue', fast: SLOW, bulk: false, store: 'postgres' },
  { name: 'dbos-local', adapter: 'dbos', mode: 'local', fast: SLOW, bulk: false, store: null },
  { name: 'graphile-worker', adapter: 'graphile-worker', mode: 'stock', fast: SLOW, bulk: true, store: 'postgres' },
  { name: 'graphile-worker-batched', adapter: 'graphile-worker', mode: 'batched', fast: { ...SLOW, bulk: true }, bulk: true, store: null },
];
