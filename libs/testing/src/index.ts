export { eventually, type Patience } from './eventually.ts';
export { freePort } from '#embedded';
export { findRedis, type RedisSource } from './redis-binary.ts';
export { startRedis, type RedisOptions, type RedisServer } from './redis-server.ts';
