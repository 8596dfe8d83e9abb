import type { Fault } from '../world/types.ts';
import { postgresCrashes } from './postgres-crash.ts';
import { postgresDiskFull } from './postgres-disk.ts';
import { postgresFailovers } from './postgres-failover.ts';
import { postgresLockFaults } from './postgres-locks.ts';
import { postgresRestarts } from './postgres-restart.ts';
import { postgresSessionFaults } from './postgres-sessions.ts';

/** Everything that is done to PostgreSQL: F18 to F24, F40. */
export const postgresFaults: readonly Fault[] = [
  ...postgresCrashes,
  ...postgresRestarts,
  ...postgresSessionFaults,
  ...postgresLockFaults,
  ...postgresFailovers,
  postgresDiskFull,
];
