import type { Redis } from 'ioredis';
import { withDeadline } from '../redis/deadline.ts';
import { UnreachableError } from '../transport-error.ts';

/** Pause between two pings of a connection, and how long it may be silent after one. */
const PING_MS = 1_000;
const ANSWER_MS = 2_000;
/** How long the greeting of a new connection may take. */
const HANDSHAKE_MS = 4_000;

/**
 * Keeps a connection of the driver honest. A subscriber asks nothing, and so never learns that its link is half open; the driver waits for the
 * answers of a handshake for ever. So it is pinged (subscribers may be), and a connection that misses an answer is destroyed: the driver then
 * makes another, and subscribes again. Ends with the connection.
 */
export class RedisPulse {
  private heardAt = performance.now();
  private handshakeSince: number | undefined;
  private pinging = false;
  private readonly beat: NodeJS.Timeout;

  constructor(
    private readonly redis: Redis,
    pingMs = PING_MS,
    private readonly answerMs = ANSWER_MS,
  ) {
    redis.on('connect', () => (this.handshakeSince = performance.now()));
    redis.on('ready', () => {
      this.handshakeSince = undefined;
      this.heardAt = performance.now();
    });
    redis.on('close', () => (this.handshakeSince = undefined));
    redis.on('end', () => clearInterval(this.beat));
    this.beat = setInterval(() => void this.ping(), pingMs);
  }

  /** Whether it is connected and has answered of late. */
  get isAlive(): boolean {
    return this.redis.status === 'ready' && performance.now() - this.heardAt < PING_MS + ANSWER_MS;
  }

  private async ping(): Promise<void> {
    if (this.handshakeSince !== undefined && performance.now() - this.handshakeSince > HANDSHAKE_MS) this.redis.stream.destroy();
    if (this.redis.status !== 'ready' || this.pinging) return;
    this.pinging = true;
    const { stream } = this.redis;
    try {
      await withDeadline(this.redis.ping(), this.answerMs, () => new UnreachableError('a ping', this.answerMs));
      this.heardAt = performance.now();
    } catch {
      stream.destroy();
    }
    this.pinging = false;
  }
}
