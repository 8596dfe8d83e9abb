import type { Fault } from '../world/types.ts';
import { millisecondsOf } from './server-times.ts';

/** PostgreSQL's log has no room: the server ends itself. Then there is room again. */
export const postgresDiskFull: Fault = {
  id: 'F23',
  name: 'postgres-disk-full',
  targets: 'postgres',
  inflict: async (world, random) => {
    const { mebibytes } = await world.postgres.fillDisk();
    return {
      what: `the disk of PostgreSQL's log is full (${mebibytes} MiB); the server ${world.postgres.isRunning ? 'lives' : 'has ended'}`,
      holdMs: random.int(1_000, 5_000),
      heal: async () => ({ freedMs: await millisecondsOf(() => world.postgres.freeDisk()) }),
    };
  },
};
