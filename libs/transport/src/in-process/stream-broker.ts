import { EntryIds, MemoryStream, freshGeneration } from './memory-stream.ts';

const MARK_COUNT_MAX = 100_000;

interface Mark {
  readonly value: string;
  readonly until: number;
}

/** The streams that the transports of one process share: what a server is to the others. Its end loses everything. */
export class StreamBroker {
  readonly ids = new EntryIds();
  generation = freshGeneration();
  private readonly streams = new Map<string, MemoryStream>();
  private readonly readers = new Map<string, Set<() => void>>();
  private readonly marks = new Map<string, Mark>();

  /** Undefined for a stream that nobody used yet. */
  find(name: string): MemoryStream | undefined {
    return this.streams.get(name);
  }

  stream(name: string): MemoryStream {
    const known = this.streams.get(name);
    if (known !== undefined) return known;
    const fresh = new MemoryStream();
    this.streams.set(name, fresh);
    return fresh;
  }

  add(name: string, body: string): void {
    this.stream(name).add({ id: this.ids.next(), body });
  }

  /** Wakes those who wait for one of the streams. */
  wake(names: Iterable<string>): void {
    for (const name of names) for (const reader of [...(this.readers.get(name) ?? [])]) reader();
  }

  /** Calls `reader` at each wake of one of the streams, until the returned function is called. */
  listen(names: readonly string[], reader: () => void): () => void {
    for (const name of names) this.readersOf(name).add(reader);
    return () => {
      for (const name of names) {
        const readers = this.readersOf(name);
        readers.delete(reader);
        if (readers.size === 0) this.readers.delete(name);
      }
    };
  }

  /** False when there are too many living marks. */
  setMark(key: string, value: string, ttlMs: number): boolean {
    if (this.marks.size >= MARK_COUNT_MAX) this.dropDeadMarks();
    if (this.marks.size >= MARK_COUNT_MAX && !this.marks.has(key)) return false;
    this.marks.set(key, { value, until: performance.now() + ttlMs });
    return true;
  }

  getMark(key: string): string | null {
    const mark = this.marks.get(key);
    if (mark === undefined) return null;
    if (mark.until > performance.now()) return mark.value;
    this.marks.delete(key);
    return null;
  }

  /** Loses everything, as a server without persistence does at a restart. */
  flush(): void {
    this.streams.clear();
    this.marks.clear();
    this.generation = freshGeneration();
    this.wake([...this.readers.keys()]);
  }

  drop(name: string): void {
    this.streams.delete(name);
    this.wake([name]);
  }

  dropGroup(name: string, group: string): void {
    this.streams.get(name)?.groups.delete(group);
    this.wake([name]);
  }

  private readersOf(name: string): Set<() => void> {
    const known = this.readers.get(name);
    if (known !== undefined) return known;
    const fresh = new Set<() => void>();
    this.readers.set(name, fresh);
    return fresh;
  }

  private dropDeadMarks(): void {
    const now = performance.now();
    for (const [key, mark] of this.marks) if (mark.until <= now) this.marks.delete(key);
  }
}
