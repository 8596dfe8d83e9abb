import type { PendingEntry } from '../consumer/group-port.ts';
import type { OnTransportEvent } from '../transport-event.ts';
import type { RedisLink } from './redis-link.ts';
import { answers, answersOrErrors, fields, list, text, whole } from './reply.ts';
import type { StreamKeys } from './stream-keys.ts';

/** Owner of what was given back, until another consumer takes it. */
export const GIVEN_BACK = 'given-back';
/** Most entries that a name can have taken between two questions. */
const FORGOTTEN_MAX = 10_000;

/** The names of consumers at the server: nobody but the library itself removes them. */
export class ConsumerNames {
  private readonly keys: StreamKeys;
  private readonly data: RedisLink;
  private readonly settings: { readonly group: string; readonly consumer: string; readonly pingTimeoutMs: number };
  private readonly tell: OnTransportEvent;

  constructor(keys: StreamKeys, data: RedisLink, settings: ConsumerNames['settings'], tell: OnTransportEvent) {
    this.keys = keys;
    this.data = data;
    this.settings = settings;
    this.tell = tell;
  }

  /** Removes names that hold nothing and were idle for `idleMs`. */
  async forgetIdle(streams: readonly string[], idleMs: number): Promise<void> {
    const found = await this.data.run('XINFO CONSUMERS', (redis) => {
      const pipeline = redis.pipeline();
      for (const stream of streams) pipeline.call('XINFO', 'CONSUMERS', this.keys.of(stream), this.settings.group);
      return answersOrErrors(pipeline);
    });
    for (const [i, stream] of streams.entries()) {
      for (const name of forgettable(found[i], idleMs)) {
        if (name !== this.settings.consumer) await this.forget(stream, name);
      }
    }
  }

  /** Removes this consumer's own name where it owns nothing. Not repeated: it is a courtesy. */
  async leave(streams: readonly string[]): Promise<void> {
    const { group, consumer, pingTimeoutMs } = this.settings;
    const left = await this.data.once(
      'leaving',
      (redis) => {
        const pipeline = redis.pipeline();
        for (const stream of streams) pipeline.call('XPENDING', this.keys.of(stream), group, '-', '+', 1, consumer);
        return answersOrErrors(pipeline);
      },
      pingTimeoutMs,
    );
    const empty = streams.filter((_, i) => Array.isArray(left[i]) && list(left[i]).length === 0);
    await this.data.once(
      'leaving',
      (redis) => {
        const pipeline = redis.pipeline();
        for (const stream of empty) pipeline.call('XGROUP', 'DELCONSUMER', this.keys.of(stream), group, consumer);
        return answersOrErrors(pipeline);
      },
      pingTimeoutMs,
    );
  }

  /**
   * A name that looked idle may take an entry just now, and with the name the server would forget that entry: what the name
   * owned in the moment of its end is put back among the pending.
   */
  private async forget(stream: string, name: string): Promise<void> {
    const { group } = this.settings;
    const key = this.keys.of(stream);
    const result = await this.data.run('XGROUP DELCONSUMER', (redis) => {
      const pipeline = redis.pipeline();
      pipeline.call('MULTI');
      pipeline.call('XPENDING', key, group, '-', '+', FORGOTTEN_MAX, name);
      pipeline.call('XGROUP', 'DELCONSUMER', key, group, name);
      pipeline.call('EXEC');
      return answers(pipeline);
    });
    const owned = pendingEntries(stream, list(result[3])[0]).map(({ id }) => id);
    if (owned.length > 0) {
      await this.data.run('XCLAIM', (redis) =>
        redis.call('XCLAIM', key, group, GIVEN_BACK, 0, ...owned, 'RETRYCOUNT', 1, 'FORCE', 'JUSTID'),
      );
    }
    this.tell({ type: 'consumer_forgotten', group, stream, consumer: name });
  }
}

export function pendingEntries(stream: string | undefined, answer: unknown): readonly PendingEntry[] {
  if (stream === undefined || answer instanceof Error) return [];
  return list(answer).map((item) => {
    const [id, , , deliveries] = list(item);
    return { stream, id: text(id), deliveries: whole(deliveries) };
  });
}

function forgettable(answer: unknown, idleMs: number): readonly string[] {
  if (answer instanceof Error) return [];
  return list(answer)
    .map(fields)
    .filter((consumer) => whole(consumer.get('pending')) === 0 && whole(consumer.get('idle')) > idleMs)
    .map((consumer) => text(consumer.get('name')));
}
