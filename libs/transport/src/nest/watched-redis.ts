import { ClientRedis, type RedisOptions, ServerRedis } from '@nestjs/microservices';
import type { Redis } from 'ioredis';
import { withDeadline } from '../redis/deadline.ts';
import { UnreachableError } from '../transport-error.ts';
import { RedisPulse } from './redis-pulse.ts';

/** Pause before a connection is made anew, spread so that a server that comes back is not met by everybody at once. */
const RECONNECT_MS = 1_000;
/** How long a goodbye may take: what is published may be lost. */
const GOODBYE_MS = 1_000;

/** Nest's Redis client, whose connections notice when their link is half open. */
export class WatchedRedisClient extends ClientRedis {
  private pulses: readonly RedisPulse[] = [];

  /** Whether what is emitted now is likely to arrive. */
  get isAlive(): boolean {
    return this.pulses.length > 0 && this.pulses.every((pulse) => pulse.isAlive);
  }

  override async createClient(): Promise<Redis> {
    const redis: Redis = await super.createClient();
    // A pair: it publishes by one and hears answers by the other.
    this.pulses = [...this.pulses.slice(-1), new RedisPulse(redis)];
    return redis;
  }

  override createRetryStrategy(): number | undefined {
    return this.isManuallyClosed ? undefined : spread();
  }

  /** `emit` for what is told often: the same message, without an observable. Settles when Redis has answered, rejects when it cannot. */
  async announce(channel: string, message: unknown): Promise<void> {
    await this.connect();
    await this.dispatchEvent(this.createPacket(channel, message));
  }

  /** Says goodbye where somebody listens. Never rejects. */
  override async close(): Promise<void> {
    const clients: readonly (Redis | null | undefined)[] = [this.pubClient, this.subClient];
    await goodbye(super.close(), clients);
  }
}

/**
 * Nest's Redis server, whose connections notice when their link is half open. It starts at once, also without Redis: it subscribes when Redis
 * comes, and again whenever it comes back.
 */
export class WatchedRedisServer extends ServerRedis {
  private pulses: readonly RedisPulse[] = [];

  constructor(options: NonNullable<RedisOptions['options']>) {
    super({ ...options, maxRetriesPerRequest: null });
  }

  /** Whether what is published reaches this process. */
  get isAlive(): boolean {
    return this.pulses.length > 0 && this.pulses.every((pulse) => pulse.isAlive);
  }

  override async createRedisClient(): Promise<Redis> {
    const redis: Redis = await super.createRedisClient();
    this.pulses = [...this.pulses.slice(-1), new RedisPulse(redis)];
    return redis;
  }

  override start(callback?: () => void): void {
    // The subscriptions wait in the client's queue until there is a connection.
    this.bindEvents(this.subClient, this.pubClient);
    for (const client of [this.subClient, this.pubClient]) client.connect().catch(() => {});
    callback?.();
  }

  /** Subscriptions that still wait when it is closed are rejected, and nobody misses them. */
  override bindEvents(subClient: Redis, pubClient: Redis): void {
    subClient.on('message', this.getMessageHandler(pubClient));
    for (const channel of this.messageHandlers.keys()) {
      subClient.subscribe(channel).catch((error: unknown) => {
        if (!this.isManuallyClosed) this.logger.error(error);
      });
    }
  }

  override createRetryStrategy(): number | undefined {
    return this.isManuallyClosed ? undefined : spread();
  }

  /** Says goodbye where somebody listens. Never rejects. */
  override async close(): Promise<void> {
    const clients: readonly (Redis | null | undefined)[] = [this.pubClient, this.subClient];
    await goodbye(super.close(), clients);
  }
}

async function goodbye(said: Promise<void>, clients: readonly (Redis | null | undefined)[]): Promise<void> {
  await withDeadline(said, GOODBYE_MS, () => new UnreachableError('quit', GOODBYE_MS)).catch(() => undefined);
  for (const client of clients) {
    if (!client || client.status === 'end') continue;
    client.disconnect();
    // A silent link ignores the polite end of a stream.
    client.stream?.destroy();
  }
}

function spread(): number {
  return RECONNECT_MS * (0.5 + Math.random() / 2);
}
