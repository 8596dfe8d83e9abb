/** Field that carries the body of an entry. */
export const BODY = 'b';

export class StreamKeys {
  private readonly keyOf: (name: string) => string;

  constructor(keyOf: (name: string) => string = (name) => name) {
    this.keyOf = keyOf;
  }

  of(name: string): string {
    return this.keyOf(name);
  }

  /** Beside the stream, under the same hash tag. */
  deadLetters(stream: string): string {
    return `${this.keyOf(stream)}:dead`;
  }

  /** True when one transaction may touch all of them, in a cluster too. */
  liveTogether(streams: Iterable<string>): boolean {
    const tags = new Set<string>();
    for (const stream of streams) tags.add(hashTag(this.keyOf(stream)));
    return tags.size <= 1;
  }
}

/** The part of a key that decides its place in a cluster. */
export function hashTag(key: string): string {
  const open = key.indexOf('{');
  const close = open < 0 ? -1 : key.indexOf('}', open + 1);
  return close > open + 1 ? key.slice(open + 1, close) : key;
}

/** Groups things by the stream they belong to, in order. */
export function byStream<T extends { readonly stream: string }>(things: readonly T[]): ReadonlyMap<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const thing of things) {
    const group = groups.get(thing.stream);
    if (group === undefined) groups.set(thing.stream, [thing]);
    else group.push(thing);
  }
  return groups;
}
