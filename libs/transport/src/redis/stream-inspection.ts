import type { StreamDepth } from '../stream-transport.ts';
import type { RedisLink } from './redis-link.ts';
import { answers, answersOrErrors, entries, fields, list, text, whole } from './reply.ts';
import { BODY, type StreamKeys } from './stream-keys.ts';

interface GroupState {
  readonly pending: number;
  readonly lastDeliveredId: string;
}

const NEVER: GroupState = { pending: 0, lastDeliveredId: '0-0' };

/** Questions about a stream that change nothing. */
export class StreamInspection {
  private readonly data: RedisLink;
  private readonly keys: StreamKeys;

  constructor(data: RedisLink, keys: StreamKeys) {
    this.data = data;
    this.keys = keys;
  }

  /** The server's own count of what waits is void once entries were deleted; what is acknowledged is deleted here, so it is the rest. */
  async depth(stream: string, group: string): Promise<StreamDepth> {
    const key = this.keys.of(stream);
    const [length, groups, first, time] = await this.data.run('XINFO', (redis) =>
      answersOrErrors(redis.pipeline().xlen(key).call('XINFO', 'GROUPS', key).xrange(key, '-', '+', 'COUNT', 1).time()),
    );
    const state = stateOf(groups, group);
    const waiting = Math.max(0, whole(length) - state.pending);
    const oldestWaiting = waiting === 0 ? undefined : (await this.after(key, state.lastDeliveredId, 1))[0];
    const [oldest] = entries(first);
    return {
      length: whole(length),
      waiting,
      pending: state.pending,
      oldestWaitingMs: oldestWaiting === undefined ? null : ageOf(oldestWaiting.id, time),
      oldestMs: oldest === undefined ? null : ageOf(oldest.id, time),
    };
  }

  async waitingHead(stream: string, group: string, count: number): Promise<readonly { readonly id: string; readonly body: string }[]> {
    const key = this.keys.of(stream);
    const [groups] = await this.data.run('XINFO', (redis) => answersOrErrors(redis.pipeline().call('XINFO', 'GROUPS', key)));
    return this.after(key, stateOf(groups, group).lastDeliveredId, count);
  }

  private async after(key: string, id: string, count: number): Promise<readonly { readonly id: string; readonly body: string }[]> {
    const [found] = await this.data.run('XRANGE', (redis) => answers(redis.pipeline().xrange(key, `(${id}`, '+', 'COUNT', count)));
    return entries(found).map((entry) => ({ id: entry.id, body: text(fields(entry.fields).get(BODY) ?? '') }));
  }
}

/** A stream or a group that does not exist has delivered nothing. */
function stateOf(groups: unknown, name: string): GroupState {
  if (groups instanceof Error) return NEVER;
  const found = list(groups)
    .map(fields)
    .find((group) => group.get('name') === name);
  return found === undefined ? NEVER : { pending: whole(found.get('pending')), lastDeliveredId: text(found.get('last-delivered-id')) };
}

function ageOf(id: string, time: unknown): number {
  const [seconds, micros] = list(time).map(Number);
  const nowMs = (seconds ?? 0) * 1_000 + Math.floor((micros ?? 0) / 1_000);
  return Math.max(0, nowMs - Number(id.split('-')[0]));
}
