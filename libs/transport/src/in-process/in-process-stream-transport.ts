import { bodiesWithin, markWithin } from '../body-limit.ts';
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
import { BackPressureError, TransportError } from '../transport-error.ts';
import { quietly, type OnTransportEvent } from '../transport-event.ts';
import { InProcessGroup } from './in-process-group.ts';
import { isAfter } from './memory-stream.ts';
import type { StreamBroker } from './stream-broker.ts';

const CLOSE_GRACE_MS = 10_000;

export interface InProcessStreamOptions {
  readonly limits?: Partial<StreamLimits>;
  readonly closeGraceMs?: number;
  readonly onEvent?: OnTransportEvent;
}

/** The streams of one process, without a server. Everything is lost when the process ends. */
export class InProcessStreamTransport implements StreamTransport {
  private readonly broker: StreamBroker;
  private readonly limits: StreamLimits;
  private readonly tell: OnTransportEvent;
  private readonly consumers: Consumers;
  private readonly closeGraceMs: number;
  private closing: Promise<void> | undefined;
  private closed = false;

  constructor(broker: StreamBroker, options: InProcessStreamOptions = {}) {
    this.broker = broker;
    this.limits = { ...STREAM_LIMITS, ...options.limits };
    this.tell = quietly(options.onEvent);
    this.consumers = new Consumers(this.tell);
    this.closeGraceMs = options.closeGraceMs ?? CLOSE_GRACE_MS;
  }

  get health(): TransportHealth {
    return { connected: !this.closed, quietMs: 0 };
  }

  async add(entries: readonly StreamEntry[]): Promise<void> {
    const full = this.check(entries);
    this.append(entries.filter(({ stream }) => !full.includes(stream)));
    if (full.length > 0) throw this.refusal(full);
    await Promise.resolve();
  }

  async addThenAck(entries: readonly StreamEntry[], acks: readonly Delivery[], group: string): Promise<void> {
    const full = this.check(entries);
    if (full.length > 0) throw this.refusal(full);
    this.append(entries);
    await this.ack(acks, group);
  }

  async ack(deliveries: readonly Delivery[], group: string): Promise<void> {
    this.mustBeOpen();
    for (const { stream, id } of deliveries) this.broker.find(stream)?.ack(group, id);
    this.consumers.letGo(deliveries, group);
    await Promise.resolve();
  }

  consume(options: ConsumeOptions): StreamConsumer {
    return this.consumers.start(options, (settings) => new InProcessGroup(this.broker, settings, this.tell));
  }

  depth(stream: string, group: string): Promise<StreamDepth> {
    const entries = this.broker.find(stream)?.entries;
    const length = entries?.size ?? 0;
    const pending = this.broker.find(stream)?.groups.get(group)?.pending.size ?? 0;
    const [oldestWaiting] = this.head(stream, group, 1);
    const [oldest] = entries?.values() ?? [];
    return Promise.resolve({
      ...{ length, pending, waiting: Math.max(0, length - pending) },
      ...{ oldestWaitingMs: ageOf(oldestWaiting?.id), oldestMs: ageOf(oldest?.id) },
    });
  }

  waitingHead(stream: string, group: string, count: number): Promise<readonly { readonly id: string; readonly body: string }[]> {
    return Promise.resolve(this.head(stream, group, count));
  }

  deadLetters(stream: string, page: { readonly after?: string; readonly count: number }): Promise<readonly DeadLetter[]> {
    const { after = '0-0', count } = page;
    const dead = this.broker.find(stream)?.dead ?? [];
    return Promise.resolve(dead.filter(({ id }) => isAfter(id, after)).slice(0, count));
  }

  async replayDeadLetters(stream: string, ids: readonly string[] | 'all'): Promise<number> {
    this.mustBeOpen();
    const dead = this.broker.find(stream)?.dead ?? [];
    const chosen = ids === 'all' ? [...dead] : dead.filter(({ id }) => ids.includes(id));
    const rest = dead.filter((letter) => !chosen.includes(letter));
    dead.splice(0, dead.length, ...rest);
    this.append(chosen.map(({ body }) => ({ stream, body })));
    return Promise.resolve(chosen.length);
  }

  async mark(key: string, value: string, ttlMs: number): Promise<void> {
    this.mustBeOpen();
    markWithin(key, value, ttlMs, this.limits.markBytesMax);
    if (!this.broker.setMark(key, value, ttlMs))
      throw new TransportError('transport.marks_full', 'There are too many marks; try again later.', { key });
    await Promise.resolve();
  }

  marks(keys: readonly string[]): Promise<readonly (string | null)[]> {
    return Promise.resolve(keys.map((key) => this.broker.getMark(key)));
  }

  generation(): Promise<string> {
    return Promise.resolve(this.broker.generation);
  }

  async ping(): Promise<number> {
    this.mustBeOpen();
    const asked = performance.now();
    await new Promise((resolve) => setImmediate(resolve));
    return performance.now() - asked;
  }

  close(): Promise<void> {
    this.closing ??= this.wind();
    return this.closing;
  }

  /** What is in flight is still acknowledged while the consumers stop. */
  private async wind(): Promise<void> {
    await this.consumers.stopAll(this.closeGraceMs);
    this.closed = true;
  }

  private head(stream: string, group: string, count: number): readonly { readonly id: string; readonly body: string }[] {
    const found = this.broker.find(stream);
    return found?.groups.get(group)?.head(count) ?? [...(found?.entries.values() ?? [])].slice(0, count);
  }

  private append(entries: readonly StreamEntry[]): void {
    for (const { stream, body } of entries) this.broker.add(stream, body);
    this.broker.wake(new Set(entries.map(({ stream }) => stream)));
  }

  /** The streams without room for what is to be added to them. */
  private check(entries: readonly StreamEntry[]): readonly string[] {
    this.mustBeOpen();
    bodiesWithin(entries, this.limits.bodyBytesMax);
    const added = new Map<string, number>();
    for (const { stream } of entries) added.set(stream, (added.get(stream) ?? 0) + 1);
    return [...added].filter(([stream, count]) => this.lengthOf(stream) + count > this.limits.streamLengthMax).map(([stream]) => stream);
  }

  private refusal(full: readonly string[]): BackPressureError {
    const { streamLengthMax } = this.limits;
    for (const stream of full) this.tell({ type: 'back_pressure', stream, length: this.lengthOf(stream), streamLengthMax });
    return new BackPressureError(full, { streamLengthMax });
  }

  private lengthOf(stream: string): number {
    return this.broker.find(stream)?.entries.size ?? 0;
  }

  private mustBeOpen(): void {
    if (this.closed) throw new TransportError('transport.closed', 'The transport is closed.');
  }
}

/** Of an entry, by its id. */
function ageOf(id: string | undefined): number | null {
  return id === undefined ? null : Math.max(0, Date.now() - Number(id.split('-')[0]));
}
