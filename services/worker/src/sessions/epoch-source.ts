import { epochKey } from '#contracts';
import { RedisStreamTransport } from '#transport';

/** Where a worker learns the epoch. */
export interface EpochSource {
  /** Null while the scheduler has not written one. Throws when nobody answers. */
  current(): Promise<number | null>;
  close(): Promise<void>;
}

/** Reads what the scheduler wrote to Redis. */
export class RedisEpochSource implements EpochSource {
  private readonly redis: RedisStreamTransport;

  constructor(url: string) {
    this.redis = new RedisStreamTransport({ url, connectionName: 'worker epoch', commandTimeoutMs: 2_000 });
  }

  async current(): Promise<number | null> {
    const [text] = await this.redis.marks([epochKey]);
    const epoch = Number(text);
    return Number.isInteger(epoch) && epoch > 0 ? epoch : null;
  }

  async close(): Promise<void> {
    await this.redis.close();
  }
}
