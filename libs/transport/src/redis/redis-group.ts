import type { Redis } from 'ioredis';
import type { GroupPort, PendingEntry, PendingQuery, ReadRequest } from '../consumer/group-port.ts';
import type { Delivery } from '../stream-transport.ts';
import { reasonOf } from '../transport-error.ts';
import type { OnTransportEvent } from '../transport-event.ts';
import { acknowledge } from './acknowledging.ts';
import { ConsumerNames, GIVEN_BACK, pendingEntries } from './consumer-names.ts';
import { isNoGroup, isOutage } from './redis-fault.ts';
import type { RedisLink } from './redis-link.ts';
import { answers, answersOrErrors, entries, fields, list, text, whole } from './reply.ts';
import { BODY, byStream, type StreamKeys } from './stream-keys.ts';

/** Idle time given to what was given back: beyond every reclaim. */
const LONG_IDLE_MS = 86_400_000;
const INTERRUPT_RETRY_MS = 5;
/** The server does not tell the reader's id to this user: reads then end by their own wait. */
const UNKNOWN_ID = -1;

export interface RedisGroupSettings {
  readonly group: string;
  readonly consumer: string;
  readonly deadLetterLengthMax: number;
  /** Time beyond a read's own wait after which its link counts as half open. */
  readonly pingTimeoutMs: number;
}

/** One consumer of one consumer group: a connection of its own for the waiting reads, the shared one for the rest. */
export class RedisGroup implements GroupPort {
  private readerId = 0;
  private reading = 0;
  private readonly keys: StreamKeys;
  private readonly data: RedisLink;
  private readonly reader: RedisLink;
  private readonly settings: RedisGroupSettings;
  private readonly tell: OnTransportEvent;
  private readonly names: ConsumerNames;

  constructor(keys: StreamKeys, data: RedisLink, reader: RedisLink, settings: RedisGroupSettings, tell: OnTransportEvent) {
    this.keys = keys;
    this.data = data;
    this.reader = reader;
    this.settings = settings;
    this.tell = tell;
    this.names = new ConsumerNames(keys, data, settings, tell);
    reader.redis.on('close', () => {
      this.readerId = 0;
    });
  }

  async read(request: ReadRequest): Promise<readonly Delivery[]> {
    const streamOf = new Map(request.streams.map((stream) => [this.keys.of(stream), stream]));
    const { group, consumer, pingTimeoutMs } = this.settings;
    const block = request.blockMs > 0 ? ['BLOCK', request.blockMs] : [];
    const ids = request.streams.map(() => '>');
    const args = ['GROUP', group, consumer, 'COUNT', request.count, ...block, 'STREAMS', ...streamOf.keys(), ...ids];
    if (this.readerId === 0) await this.learnReaderId();
    this.reading += 1;
    try {
      const answer = await this.reader.once('a read', (redis) => redis.call('XREADGROUP', ...args), request.blockMs + pingTimeoutMs);
      return answer === null ? [] : this.firstDeliveries(answer, streamOf);
    } catch (thrown) {
      if (!isNoGroup(thrown)) throw thrown;
      await this.makeGroups(request.streams);
      return [];
    } finally {
      this.reading += 1;
    }
  }

  interrupt(): void {
    // Odd while a read is under way.
    if (this.reading % 2 === 1) void this.unblock(this.reading);
  }

  async pending(query: PendingQuery): Promise<readonly PendingEntry[]> {
    const { group, consumer } = this.settings;
    const owner = query.own ? [consumer] : [];
    const found = await this.data.run('XPENDING', (redis) => {
      const pipeline = redis.pipeline();
      for (const stream of query.streams) {
        pipeline.call('XPENDING', this.keys.of(stream), group, 'IDLE', query.idleMs, '-', '+', query.count, ...owner);
      }
      return answersOrErrors(pipeline);
    });
    await this.makeMissingGroups(query.streams, found);
    return found.flatMap((answer, i) => pendingEntries(query.streams[i], answer));
  }

  async claim(wanted: readonly PendingEntry[], minIdleMs: number): Promise<readonly Delivery[]> {
    const groups = [...byStream(wanted)];
    const claimed = await this.data.run('XCLAIM', (redis) => {
      const pipeline = redis.pipeline();
      for (const [stream, found] of groups)
        this.addClaim(
          pipeline,
          stream,
          minIdleMs,
          found.map(({ id }) => id),
        );
      return answersOrErrors(pipeline);
    });
    return claimed.flatMap((answer, i) => {
      const [stream, found] = groups[i] ?? ['', []];
      if (answer instanceof Error) return [];
      const counts = new Map(found.map(({ id, deliveries }) => [id, deliveries + 1]));
      return entries(answer).map((entry) => ({ stream, id: entry.id, body: bodyOf(entry.fields), deliveries: counts.get(entry.id) ?? 1 }));
    });
  }

  async keep(deliveries: readonly Delivery[]): Promise<void> {
    const owned = await this.owned(deliveries);
    if (owned.length === 0) return;
    await this.data.run('XCLAIM', (redis) => {
      const pipeline = redis.pipeline();
      for (const [stream, found] of byStream(owned)) this.addClaim(pipeline, stream, 0, [...found.map(({ id }) => id), 'JUSTID']);
      return answersOrErrors(pipeline);
    });
  }

  async offer(deliveries: readonly Delivery[]): Promise<void> {
    // A courtesy: without it the reclaim finds them. A process that ends should not wait long for a server that is away.
    const { pingTimeoutMs } = this.settings;
    const owned = await this.owned(deliveries, pingTimeoutMs);
    if (owned.length === 0) return;
    await this.data.run(
      'XCLAIM',
      (redis) => {
        const pipeline = redis.pipeline();
        for (const { stream, id, deliveries: count } of owned) {
          pipeline.call(
            'XCLAIM',
            this.keys.of(stream),
            this.settings.group,
            GIVEN_BACK,
            0,
            id,
            'IDLE',
            LONG_IDLE_MS,
            'RETRYCOUNT',
            count - 1,
            'JUSTID',
          );
        }
        return answersOrErrors(pipeline);
      },
      pingTimeoutMs,
    );
  }

  async bury(deliveries: readonly Delivery[], reason: string): Promise<void> {
    const { group, deadLetterLengthMax } = this.settings;
    await this.data.run('burying', (redis) => {
      const pipeline = redis.pipeline();
      for (const { stream, id, body, deliveries: count } of deliveries) {
        const letter = [BODY, body, 'reason', reason, 'entry', id, 'deliveries', count];
        pipeline.call('MULTI');
        pipeline.call('XADD', this.keys.deadLetters(stream), 'MAXLEN', '=', deadLetterLengthMax, '*', ...letter);
        pipeline.xack(this.keys.of(stream), group, id);
        pipeline.xdel(this.keys.of(stream), id);
        pipeline.call('EXEC');
      }
      return answers(pipeline);
    });
  }

  async ack(deliveries: readonly Delivery[]): Promise<void> {
    await this.data.run('XACK', (redis) => acknowledge(redis, this.keys, deliveries, this.settings.group));
  }

  forgetConsumers(streams: readonly string[], idleMs: number): Promise<void> {
    return this.names.forgetIdle(streams, idleMs);
  }

  async close(streams: readonly string[]): Promise<void> {
    if (this.data.ready) await this.names.leave(streams).catch(() => undefined);
    await this.reader.close();
  }

  /** Which of them the server still counts as this consumer's: others may have taken over, or all may be gone. */
  private async owned(deliveries: readonly Delivery[], timeoutMs?: number): Promise<readonly Delivery[]> {
    const groups = [...byStream(deliveries)];
    const found = await this.data.run(
      'XPENDING',
      (redis) => {
        const pipeline = redis.pipeline();
        for (const [stream, held] of groups) {
          for (const { id } of held)
            pipeline.call('XPENDING', this.keys.of(stream), this.settings.group, id, id, 1, this.settings.consumer);
        }
        return answersOrErrors(pipeline);
      },
      timeoutMs,
    );
    const flat = groups.flatMap(([, held]) => held);
    return flat.filter((_, i) => Array.isArray(found[i]) && list(found[i]).length > 0);
  }

  private addClaim(pipeline: ReturnType<Redis['pipeline']>, stream: string, minIdleMs: number, rest: readonly string[]): void {
    pipeline.call('XCLAIM', this.keys.of(stream), this.settings.group, this.settings.consumer, minIdleMs, ...rest);
  }

  private async makeMissingGroups(streams: readonly string[], found: readonly unknown[]): Promise<void> {
    const missing = streams.filter((_, i) => isNoGroup(found[i]));
    if (missing.length > 0) await this.makeGroups(missing);
  }

  /** From the very first entry: what was added before the group existed, or before it was lost, is delivered. */
  private async makeGroups(streams: readonly string[]): Promise<void> {
    const { group } = this.settings;
    const made = await this.data.run('XGROUP CREATE', (redis) => {
      const pipeline = redis.pipeline();
      for (const stream of streams) pipeline.xgroup('CREATE', this.keys.of(stream), group, '0', 'MKSTREAM');
      return answersOrErrors(pipeline);
    });
    const fresh = streams.filter((_, i) => made[i] === 'OK');
    if (fresh.length > 0) this.tell({ type: 'nogroup', group, streams: fresh });
    const fault = made.find((answer) => answer instanceof Error && !answer.message.startsWith('BUSYGROUP'));
    if (fault !== undefined) throw fault;
  }

  private async learnReaderId(): Promise<void> {
    const ask = this.reader.once('CLIENT ID', (redis) => redis.client('ID'), this.settings.pingTimeoutMs);
    this.readerId = whole(await ask.catch((thrown: unknown) => (isOutage(thrown) ? Promise.reject(thrown) : UNKNOWN_ID)));
  }

  /** The unblocking may overtake the read it is meant for: it is repeated until that read has ended. */
  private async unblock(read: number): Promise<void> {
    try {
      while (this.reading === read && this.readerId > 0) {
        await this.data.once('CLIENT UNBLOCK', (redis) => redis.client('UNBLOCK', this.readerId), this.settings.pingTimeoutMs);
        await new Promise((resolve) => setTimeout(resolve, INTERRUPT_RETRY_MS));
      }
    } catch (thrown) {
      // Without the right to unblock, the read ends by itself within its wait.
      this.tell({ type: 'outage', what: 'CLIENT UNBLOCK', reason: reasonOf(thrown) });
    }
  }

  private firstDeliveries(answer: unknown, streamOf: ReadonlyMap<string, string>): readonly Delivery[] {
    return list(answer).flatMap((ofStream) => {
      const [key, found] = list(ofStream);
      const stream = streamOf.get(text(key)) ?? text(key);
      return entries(found).map((entry) => ({ stream, id: entry.id, body: bodyOf(entry.fields), deliveries: 1 }));
    });
  }
}

/** Bodies of entries that this library did not write come back empty. */
function bodyOf(content: unknown): string {
  const flat = list(content);
  return flat[0] === BODY ? text(flat[1]) : text(fields(content).get(BODY) ?? '');
}
