import type { Fault } from '../world/types.ts';
import { redisKills } from './redis-crash.ts';
import { redisFailovers } from './redis-failover.ts';
import { redisFileFaults } from './redis-file.ts';
import { redisLosses } from './redis-loss.ts';
import { redisSlowness } from './redis-slow.ts';

/** Everything that is done to Redis: F08 to F12, F15, F17. */
export const redisFaults: readonly Fault[] = [...redisKills, ...redisLosses, ...redisFileFaults, ...redisFailovers, ...redisSlowness];
