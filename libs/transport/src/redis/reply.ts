import type { ChainableCommander } from 'ioredis';
import { TransportError } from '../transport-error.ts';
import { isOutage } from './redis-fault.ts';

/** Readers of answers. What does not have the documented shape is a bug, and is told loudly. */
export function list(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw badReply('a list', value);
}

export function text(value: unknown): string {
  if (typeof value === 'string') return value;
  throw badReply('a text', value);
}

export function whole(value: unknown): number {
  if (typeof value === 'number') return value;
  throw badReply('a number', value);
}

/** Names and values that alternate, as XINFO and XRANGE answer them. */
export function fields(value: unknown): ReadonlyMap<string, unknown> {
  const flat = list(value);
  const named = new Map<string, unknown>();
  for (let i = 0; i + 1 < flat.length; i += 2) named.set(text(flat[i]), flat[i + 1]);
  return named;
}

export interface RawEntry {
  readonly id: string;
  readonly fields: unknown;
}

/** Entries of a stream; those deleted meanwhile are left out. */
export function entries(value: unknown): readonly RawEntry[] {
  const found: RawEntry[] = [];
  for (const item of list(value)) {
    if (item === null) continue;
    const [id, content] = list(item);
    if (content !== null) found.push({ id: text(id), fields: content });
  }
  return found;
}

/** Sends a pipeline and returns its answers; throws the first error among them, also from within a transaction. */
export async function answers(pipeline: ChainableCommander): Promise<readonly unknown[]> {
  const all = await answersOrErrors(pipeline);
  const fault = all.flatMap((answer) => (Array.isArray(answer) ? answer : [answer])).find((answer) => answer instanceof Error);
  if (fault !== undefined) throw fault;
  return all;
}

/** The same, with refusals of the server in their places. A broken link spoils the whole: that is thrown. */
export async function answersOrErrors(pipeline: ChainableCommander): Promise<readonly unknown[]> {
  const results = (await pipeline.exec()) ?? [];
  return results.map(([error, value]) => {
    if (isOutage(error)) throw error;
    return error ?? value;
  });
}

function badReply(wanted: string, value: unknown): TransportError {
  return new TransportError('transport.bad_reply', `The server answered ${typeof value} where ${wanted} belongs.`, { wanted });
}
