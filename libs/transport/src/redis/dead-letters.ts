import type { DeadLetter } from '../stream-transport.ts';
import type { RedisLink } from './redis-link.ts';
import { answers, entries, fields, type RawEntry, text } from './reply.ts';
import { BODY, type StreamKeys } from './stream-keys.ts';

const REPLAY_PAGE = 200;

/** Reading and replaying what could not be handled. */
export class DeadLetters {
  private readonly data: RedisLink;
  private readonly keys: StreamKeys;

  constructor(data: RedisLink, keys: StreamKeys) {
    this.data = data;
    this.keys = keys;
  }

  async page(stream: string, page: { readonly after?: string; readonly count: number }): Promise<readonly DeadLetter[]> {
    const from = page.after === undefined ? '-' : `(${page.after}`;
    return this.range(stream, from, '+', page.count);
  }

  async replay(stream: string, ids: readonly string[] | 'all'): Promise<number> {
    return ids === 'all' ? this.replayAll(stream) : this.replayLetters(stream, await this.find(stream, ids));
  }

  /** Only what is there at the start: a letter that dies again while others are replayed is not taken twice. */
  private async replayAll(stream: string): Promise<number> {
    const last = await this.data.run('XREVRANGE', (redis) => redis.xrevrange(this.keys.deadLetters(stream), '+', '-', 'COUNT', 1));
    const until = last[0]?.[0];
    if (until === undefined) return 0;
    let replayed = 0;
    for (let from = '-'; ;) {
      const letters = await this.range(stream, from, until, REPLAY_PAGE);
      replayed += await this.replayLetters(stream, letters);
      const reached = letters.at(-1);
      if (reached === undefined || letters.length < REPLAY_PAGE) return replayed;
      from = `(${reached.id}`;
    }
  }

  private async find(stream: string, ids: readonly string[]): Promise<readonly DeadLetter[]> {
    const found = await this.data.run('XRANGE', (redis) => {
      const pipeline = redis.pipeline();
      for (const id of ids) pipeline.xrange(this.keys.deadLetters(stream), id, id);
      return answers(pipeline);
    });
    return found.flatMap((answer) => entries(answer).map(letterOf));
  }

  private async range(stream: string, from: string, until: string, count: number): Promise<readonly DeadLetter[]> {
    const found = await this.data.run('XRANGE', (redis) => redis.xrange(this.keys.deadLetters(stream), from, until, 'COUNT', count));
    return entries(found).map(letterOf);
  }

  private async replayLetters(stream: string, letters: readonly DeadLetter[]): Promise<number> {
    if (letters.length === 0) return 0;
    await this.data.run('replaying', (redis) => {
      const pipeline = redis.pipeline();
      pipeline.call('MULTI');
      for (const { body } of letters) pipeline.xadd(this.keys.of(stream), '*', BODY, body);
      pipeline.xdel(this.keys.deadLetters(stream), ...letters.map(({ id }) => id));
      pipeline.call('EXEC');
      return answers(pipeline);
    });
    return letters.length;
  }
}

function letterOf(entry: RawEntry): DeadLetter {
  const named = fields(entry.fields);
  return {
    id: entry.id,
    body: text(named.get(BODY) ?? ''),
    reason: text(named.get('reason') ?? ''),
    entryId: text(named.get('entry') ?? ''),
    deliveries: Number(named.get('deliveries') ?? 0),
    buriedAt: Number(entry.id.split('-')[0]),
  };
}
