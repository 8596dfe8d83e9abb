export { freePort } from '#embedded';
export { type DatabaseServer, type TestDatabase, cloneDatabase, databaseServers, stopTestCluster, testCluster } from './database.ts';
export { eventually, type Patience } from './eventually.ts';
export { isAlive, makeTestFolder } from './own-folder.ts';
export { type Ending, type ProcessOptions, type TestProcess, startProcess } from './processes.ts';
export { findRedis, type RedisSource } from './redis-binary.ts';
export { startRedis, type RedisOptions, type RedisServer } from './redis-server.ts';
export { startTestServers, stopTestServers, type TestServer, type TestServers } from './test-servers.ts';
export { TcpProxy } from './tcp-proxy.ts';
