import { describe, expect, it } from '@jest/globals';
import { readWorkerConfig } from './config.ts';

const needed = { DEPLOYMENT: 'production-finance', REDIS_URL: 'redis://localhost:6379' };

describe("the worker's configuration", () => {
  it('fills in the defaults', () => {
    expect(readWorkerConfig(needed)).toMatchObject({
      concurrency: 2,
      prefetch: 10,
      handlers: [],
      heartbeatSeconds: 3,
      leaseSeconds: 10,
      cancelGraceSeconds: 5,
      drainSeconds: 25,
      metricsPort: 9290,
      privateAddresses: 'deny',
    });
  });

  it('takes at most 256 tasks ahead unless told otherwise', () => {
    expect(readWorkerConfig({ ...needed, WORKER_CONCURRENCY: '500' }).prefetch).toBe(256);
    expect(readWorkerConfig({ ...needed, WORKER_PREFETCH: '300' }).prefetch).toBe(300);
  });

  it('names every fault at once', () => {
    expect(() => readWorkerConfig({ WORKER_CONCURRENCY: '0' })).toThrow(/DEPLOYMENT[^]*REDIS_URL[^]*WORKER_CONCURRENCY/);
  });

  it('refuses a heartbeat of which one may not be lost', () => {
    expect(() => readWorkerConfig({ ...needed, HEARTBEAT_SECONDS: '6', LEASE_SECONDS: '10' })).toThrow(/half of LEASE_SECONDS/);
  });

  it.each(['DATABASE_URL', 'TEST_DATABASE_URL', 'PGPASSWORD'])('refuses %s in production: a worker must not reach a database', (name) => {
    const env = { ...needed, NODE_ENV: 'production', [name]: 'postgresql://u:Zo8Qm1xT@db/x' };

    expect(() => readWorkerConfig(env)).toThrow(expect.objectContaining({ code: 'config.database_in_worker' }));
    expect(readWorkerConfig({ ...env, NODE_ENV: 'development' })).toBeDefined();
  });
});
