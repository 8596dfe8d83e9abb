import type { RedisOptions } from '@nestjs/microservices';
import { WatchedRedisServer } from '#transport';

/**
 * Nest's Redis transport for a process that serves without Redis as well: it starts at once, subscribes when Redis comes, and again whenever
 * it comes back.
 */
export class PatientRedisServer extends WatchedRedisServer {
  constructor(options: NonNullable<RedisOptions['options']>) {
    super({ ...options, retryAttempts: Number.MAX_SAFE_INTEGER, retryDelay: 2_000, maxRetriesPerRequest: null });
  }

  override start(callback?: () => void): void {
    // The subscriptions wait in the client's queue until there is a connection.
    this.bindEvents(this.subClient, this.pubClient);
    for (const client of [this.subClient, this.pubClient]) client.connect().catch(() => {});
    callback?.();
  }

  /** Hangs up instead of taking leave: nothing is under way on these connections, and without Redis nobody would answer. */
  override async close(): Promise<void> {
    for (const client of [this.subClient, this.pubClient]) client?.disconnect();
  }
}
