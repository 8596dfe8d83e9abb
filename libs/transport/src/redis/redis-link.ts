import { Redis } from 'ioredis';
import { TransportError, UnreachableError, reasonOf } from '../transport-error.ts';
import type { OnTransportEvent } from '../transport-event.ts';
import { withDeadline } from './deadline.ts';
import { isOutage, refusal } from './redis-fault.ts';
import type { LinkSettings } from './redis-options.ts';

const RECONNECT_MS_FIRST = 20;
const RECONNECT_MS_MAX = 1_000;
const RETRY_MS = 10;
/** How long a link that is given up may take to say goodbye; the driver's own 2 s would hold up a process that ends. */
const DISCONNECT_MS = 50;

export type LinkRole = 'data' | 'reader' | 'probe';

/**
 * One connection that heals itself. A link can be half open: accepted packets, no answers, no error for minutes. So every
 * question has a deadline, and a link that misses one is destroyed and made anew. Nothing is queued while the server is
 * away: a call waits, bounded in time, and fails with `transport.unreachable`.
 */
export class RedisLink {
  readonly redis: Redis;
  /** Of this process's own clock, which nobody sets; nothing before the first answer. */
  private lastContactAt = -Infinity;
  private readonly beat: NodeJS.Timeout;
  private wasReady = false;
  private handshakeSince: number | undefined;
  private pinging = false;
  private closed = false;
  private lastFault = '';
  private readonly role: LinkRole;
  private readonly settings: LinkSettings;
  private readonly tell: OnTransportEvent;

  constructor(role: LinkRole, settings: LinkSettings, tell: OnTransportEvent) {
    this.role = role;
    this.settings = settings;
    this.tell = tell;
    this.redis = new Redis(settings.url, {
      connectTimeout: settings.pingTimeoutMs,
      disconnectTimeout: DISCONNECT_MS,
      keepAlive: 10_000,
      ...settings.redis,
      connectionName: `${settings.connectionName}:${role}`,
      // A call that was cut off fails at once and is repeated by `run`, which knows how long its caller wants to wait.
      maxRetriesPerRequest: 0,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      // Spread, so that a server that comes back is not met by everybody at once.
      retryStrategy: (times) => Math.min(RECONNECT_MS_MAX, RECONNECT_MS_FIRST * 2 ** Math.min(times - 1, 10)) * (0.5 + Math.random() / 2),
      reconnectOnError: (error) => error.message.startsWith('READONLY'),
    });
    this.listen();
    this.beat = setInterval(() => this.watch(), settings.pingMs);
  }

  get quietMs(): number {
    return performance.now() - this.lastContactAt;
  }

  get ready(): boolean {
    return this.redis.status === 'ready';
  }

  /** Asks until there is an answer, at most `timeoutMs`. A question whose answer was lost is asked again. */
  async run<T>(what: string, ask: (redis: Redis) => Promise<T>, timeoutMs = this.settings.commandTimeoutMs): Promise<T> {
    const until = performance.now() + timeoutMs;
    let cause: unknown;
    for (;;) {
      const leftMs = Math.ceil(until - performance.now());
      if (leftMs <= 0) throw new UnreachableError(what, timeoutMs, cause);
      try {
        return await this.once(what, ask, leftMs);
      } catch (thrown) {
        if (!isOutage(thrown)) throw refusal(what, thrown);
        cause = thrown;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  /** Waits for the connection and asks once. A missed deadline destroys the link. */
  async once<T>(what: string, ask: (redis: Redis) => Promise<T>, timeoutMs: number): Promise<T> {
    if (this.closed) throw new TransportError('transport.closed', 'The transport is closed.', { what });
    if (!this.ready) await this.becomesReady(what, timeoutMs);
    const answer = await withDeadline(ask(this.redis), timeoutMs, () => {
      this.destroy(timeoutMs);
      return new UnreachableError(what, timeoutMs);
    });
    this.lastContactAt = performance.now();
    return answer;
  }

  /** Says goodbye when the server listens, then disconnects. Safe to call twice. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    clearInterval(this.beat);
    if (this.ready)
      await withDeadline(
        this.redis.quit(),
        this.settings.pingTimeoutMs,
        () => new UnreachableError('quit', this.settings.pingTimeoutMs),
      ).catch(() => undefined);
    if (this.redis.status !== 'end') this.redis.disconnect();
    // A silent link ignores the polite end of a stream.
    this.redis.stream?.destroy();
  }

  private async becomesReady(what: string, timeoutMs: number): Promise<void> {
    let onReady: () => void = () => undefined;
    const ready = new Promise<void>((resolve) => {
      onReady = resolve;
      this.redis.once('ready', onReady);
    });
    try {
      await withDeadline(ready, timeoutMs, () => new UnreachableError(what, timeoutMs));
    } finally {
      this.redis.off('ready', onReady);
    }
  }

  private listen(): void {
    this.redis.setMaxListeners(0);
    this.redis.on('connect', () => {
      this.handshakeSince = performance.now();
    });
    this.redis.on('ready', () => {
      this.handshakeSince = undefined;
      this.lastContactAt = performance.now();
      this.lastFault = '';
      this.tell({ type: this.wasReady ? 'reconnected' : 'connected', link: this.role });
      this.wasReady = true;
    });
    this.redis.on('close', () => {
      this.handshakeSince = undefined;
      if (this.wasReady && this.lastFault === '' && !this.closed) this.tell({ type: 'disconnected', link: this.role });
    });
    // Refused connections repeat every second: each kind of fault is told once per outage.
    this.redis.on('error', (error: Error) => {
      const fault = reasonOf(error);
      if (fault !== this.lastFault) this.tell({ type: 'outage', what: `link ${this.role}`, reason: fault });
      this.lastFault = fault;
    });
  }

  private watch(): void {
    if (this.handshakeSince !== undefined && performance.now() - this.handshakeSince > this.settings.pingTimeoutMs) {
      this.destroy(Math.round(performance.now() - this.handshakeSince));
    }
    // A waiting reader answers no ping before its read ends; its reads have deadlines of their own.
    if (this.role !== 'reader' && this.ready && !this.pinging) void this.pingQuietly();
  }

  private async pingQuietly(): Promise<void> {
    this.pinging = true;
    await this.once('a ping', (redis) => redis.ping(), this.settings.pingTimeoutMs).catch(() => undefined);
    this.pinging = false;
  }

  private destroy(silentMs: number): void {
    this.tell({ type: 'half_open', link: this.role, silentMs });
    this.redis.stream?.destroy();
  }
}
