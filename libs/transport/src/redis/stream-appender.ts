import type { ChainableCommander } from 'ioredis';
import type { Delivery, StreamEntry, StreamLimits } from '../stream-transport.ts';
import { BackPressureError } from '../transport-error.ts';
import type { OnTransportEvent } from '../transport-event.ts';
import { bodiesWithin } from '../body-limit.ts';
import { acknowledge, addAcks } from './acknowledging.ts';
import type { RedisLink } from './redis-link.ts';
import { answers, whole } from './reply.ts';
import { StreamLengths } from './stream-lengths.ts';
import { BODY, byStream, type StreamKeys } from './stream-keys.ts';

/** Adds entries within the bounds of their streams. */
export class StreamAppender {
  private readonly lengths: StreamLengths;
  private readonly data: RedisLink;
  private readonly keys: StreamKeys;
  private readonly limits: StreamLimits;
  private readonly tell: OnTransportEvent;

  constructor(data: RedisLink, keys: StreamKeys, limits: StreamLimits, tell: OnTransportEvent) {
    this.data = data;
    this.keys = keys;
    this.limits = limits;
    this.tell = tell;
    this.lengths = new StreamLengths(limits.streamLengthMax);
  }

  async add(all: readonly StreamEntry[]): Promise<void> {
    if (all.length === 0) return;
    bodiesWithin(all, this.limits.bodyBytesMax);
    const groups = byStream(all);
    const full = await this.findFull(groups);
    const taken = full.length === 0 ? all : all.filter(({ stream }) => !full.includes(stream));
    if (taken.length > 0) await this.send(groups, (pipeline) => this.append(pipeline, taken));
    if (full.length > 0) throw this.refusal(full);
  }

  async addThenAck(all: readonly StreamEntry[], acks: readonly Delivery[], group: string): Promise<void> {
    bodiesWithin(all, this.limits.bodyBytesMax);
    const groups = byStream(all);
    const full = await this.findFull(groups);
    if (full.length > 0) throw this.refusal(full);
    const together = this.keys.liveTogether(new Set([...all, ...acks].map(({ stream }) => stream)));
    await this.send(groups, (pipeline) => {
      if (together) pipeline.call('MULTI');
      this.append(pipeline, all);
      if (together) addAcks(pipeline, this.keys, acks, group);
      if (together) pipeline.call('EXEC');
    });
    if (!together) await this.data.run('XACK', (redis) => acknowledge(redis, this.keys, acks, group));
  }

  private async findFull(groups: ReadonlyMap<string, readonly StreamEntry[]>): Promise<readonly string[]> {
    const now = performance.now();
    const unsure = [...groups].filter(([stream, added]) => this.lengths.mustAsk(stream, added.length, now)).map(([stream]) => stream);
    if (unsure.length > 0) await this.learn(unsure);
    const full = [...groups].filter(([stream, added]) => !this.lengths.hasRoom(stream, added.length)).map(([stream]) => stream);
    for (const [stream, added] of groups) if (!full.includes(stream)) this.lengths.reserve(stream, added.length);
    return full;
  }

  private async learn(streams: readonly string[]): Promise<void> {
    const found = await this.data.run('XLEN', (redis) => {
      const pipeline = redis.pipeline();
      for (const stream of streams) pipeline.xlen(this.keys.of(stream));
      return answers(pipeline);
    });
    for (const [i, stream] of streams.entries()) this.lengths.learn(stream, whole(found[i]), performance.now());
  }

  /** Sends what `fill` puts into the pipeline, with the lengths after it in the same round trip. */
  private async send(groups: ReadonlyMap<string, unknown>, fill: (pipeline: ChainableCommander) => void): Promise<void> {
    const streams = [...groups.keys()];
    const found = await this.data.run('XADD', (redis) => {
      const pipeline = redis.pipeline();
      fill(pipeline);
      for (const stream of streams) pipeline.xlen(this.keys.of(stream));
      return answers(pipeline);
    });
    const after = found.slice(found.length - streams.length);
    for (const [i, stream] of streams.entries()) this.lengths.learn(stream, whole(after[i]), performance.now());
  }

  private append(pipeline: ChainableCommander, all: readonly StreamEntry[]): void {
    let stream: string | undefined;
    let key = '';
    for (const entry of all) {
      if (entry.stream !== stream) key = this.keys.of(entry.stream);
      stream = entry.stream;
      pipeline.xadd(key, '*', BODY, entry.body);
    }
  }

  private refusal(full: readonly string[]): BackPressureError {
    const { streamLengthMax } = this.limits;
    for (const stream of full) this.tell({ type: 'back_pressure', stream, length: this.lengths.lengthOf(stream), streamLengthMax });
    return new BackPressureError(full, { streamLengthMax });
  }
}
