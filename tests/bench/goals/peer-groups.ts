/** Peers by what they are compared as; each name as in the options. */
export const PG_BOSS = ['pg-boss', 'pg-boss-batched'];
export const DBOS = ['dbos', 'dbos-local'];
export const ON_POSTGRES = [...PG_BOSS, ...DBOS, 'graphile-worker', 'graphile-worker-batched', 'bullmq-postgres'];
export const DURABLE = [...PG_BOSS, ...DBOS, 'graphile-worker', 'graphile-worker-batched', 'restate'];
