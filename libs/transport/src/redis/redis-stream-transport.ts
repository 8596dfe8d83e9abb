import { randomUUID } from 'node:crypto';
import { markWithin } from '../body-limit.ts';
import { Consumers } from '../consumer/consumers.ts';
import { STREAM_LIMITS } from '../stream-transport.ts';
import type {
  ConsumeOptions,
  DeadLetter,
  Delivery,
  StreamConsumer,
  StreamDepth,
  StreamEntry,
  StreamLimits,
  StreamTransport,
  TransportHealth,
} from '../stream-transport.ts';
import { quietly, type OnTransportEvent } from '../transport-event.ts';
import { acknowledge } from './acknowledging.ts';
import { DeadLetters } from './dead-letters.ts';
import { RedisGroup } from './redis-group.ts';
import { RedisLink } from './redis-link.ts';
import { linkSettings, type LinkSettings, type RedisStreamOptions } from './redis-options.ts';
import { answers, text } from './reply.ts';
import { StreamAppender } from './stream-appender.ts';
import { StreamInspection } from './stream-inspection.ts';
import { StreamKeys } from './stream-keys.ts';

const GENERATION = 'generation';
const CLOSE_GRACE_MS = 10_000;

/**
 * Streams on one Redis (≥ 7) or Valkey server, or one behind sentinels. Connections: one for commands, one for `ping`, one
 * per consumer. Its user needs `+@stream +@transaction +@connection +info +time +set +get +mget` on the keys it works with; a
 * producer does with write-only keys (`%W~`).
 */
export class RedisStreamTransport implements StreamTransport {
  private readonly consumers: Consumers;
  private readonly data: RedisLink;
  private probe: RedisLink | undefined;
  private readonly link: LinkSettings;
  private readonly keys: StreamKeys;
  private readonly limits: StreamLimits;
  private readonly appender: StreamAppender;
  private readonly inspection: StreamInspection;
  private readonly letters: DeadLetters;
  private readonly tell: OnTransportEvent;
  private readonly closeGraceMs: number;
  private closing: Promise<void> | undefined;

  constructor(options: RedisStreamOptions) {
    this.tell = quietly(options.onEvent);
    this.consumers = new Consumers(this.tell);
    this.link = linkSettings(options);
    this.keys = new StreamKeys(options.keyOf);
    this.limits = { ...STREAM_LIMITS, ...options.limits };
    this.closeGraceMs = options.closeGraceMs ?? CLOSE_GRACE_MS;
    this.data = new RedisLink('data', this.link, this.tell);
    this.appender = new StreamAppender(this.data, this.keys, this.limits, this.tell);
    this.inspection = new StreamInspection(this.data, this.keys);
    this.letters = new DeadLetters(this.data, this.keys);
  }

  get health(): TransportHealth {
    const { quietMs, ready } = this.data;
    return { connected: ready && quietMs <= this.link.pingMs + this.link.pingTimeoutMs, quietMs };
  }

  add(entries: readonly StreamEntry[]): Promise<void> {
    return this.appender.add(entries);
  }

  async addThenAck(entries: readonly StreamEntry[], acks: readonly Delivery[], group: string): Promise<void> {
    await this.appender.addThenAck(entries, acks, group);
    this.consumers.letGo(acks, group);
  }

  async ack(deliveries: readonly Delivery[], group: string): Promise<void> {
    await this.data.run('XACK', (redis) => acknowledge(redis, this.keys, deliveries, group));
    this.consumers.letGo(deliveries, group);
  }

  consume(options: ConsumeOptions): StreamConsumer {
    return this.consumers.start(options, (settings) => {
      const reader = new RedisLink('reader', this.link, this.tell);
      return new RedisGroup(this.keys, this.data, reader, { ...settings, pingTimeoutMs: this.link.pingTimeoutMs }, this.tell);
    });
  }

  depth(stream: string, group: string): Promise<StreamDepth> {
    return this.inspection.depth(stream, group);
  }

  waitingHead(stream: string, group: string, count: number): Promise<readonly { readonly id: string; readonly body: string }[]> {
    return this.inspection.waitingHead(stream, group, count);
  }

  deadLetters(stream: string, page: { readonly after?: string; readonly count: number }): Promise<readonly DeadLetter[]> {
    return this.letters.page(stream, page);
  }

  replayDeadLetters(stream: string, ids: readonly string[] | 'all'): Promise<number> {
    return this.letters.replay(stream, ids);
  }

  async mark(key: string, value: string, ttlMs: number): Promise<void> {
    markWithin(key, value, ttlMs, this.limits.markBytesMax);
    await this.data.run('SET', (redis) => redis.set(this.keys.of(key), value, 'PX', ttlMs));
  }

  marks(keys: readonly string[]): Promise<readonly (string | null)[]> {
    if (keys.length === 0) return Promise.resolve([]);
    return this.data.run('MGET', (redis) => redis.mget(keys.map((key) => this.keys.of(key))));
  }

  async generation(): Promise<string> {
    const key = this.keys.of(GENERATION);
    const [, value] = await this.data.run('SET', (redis) => answers(redis.pipeline().set(key, randomUUID(), 'NX').get(key)));
    return text(value);
  }

  async ping(timeoutMs: number): Promise<number> {
    this.probe ??= new RedisLink('probe', this.link, this.tell);
    const asked = performance.now();
    await this.probe.run('a ping', (redis) => redis.ping(), timeoutMs);
    return performance.now() - asked;
  }

  close(): Promise<void> {
    this.closing ??= this.wind();
    return this.closing;
  }

  private async wind(): Promise<void> {
    await this.consumers.stopAll(this.closeGraceMs);
    await Promise.all([this.data.close(), this.probe?.close()]);
  }
}
