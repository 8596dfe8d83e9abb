/** How long a length that was seen counts for the next add. */
const TRUST_MS = 1_000;
const KNOWN_MAX = 10_000;

interface Seen {
  length: number;
  readonly at: number;
}

/**
 * Remembers how full streams are, so that far below the bound an add needs no question first. Each add asks for the length
 * after it in the same round trip; in the upper half of the bound, or after a second, the length is asked for before.
 */
export class StreamLengths {
  private readonly seen = new Map<string, Seen>();
  private readonly streamLengthMax: number;

  constructor(streamLengthMax: number) {
    this.streamLengthMax = streamLengthMax;
  }

  mustAsk(stream: string, count: number, now: number): boolean {
    const seen = this.seen.get(stream);
    return seen === undefined || now - seen.at > TRUST_MS || seen.length + count > this.streamLengthMax / 2;
  }

  learn(stream: string, length: number, now: number): void {
    if (this.seen.size >= KNOWN_MAX) this.seen.clear();
    this.seen.set(stream, { length, at: now });
  }

  lengthOf(stream: string): number {
    return this.seen.get(stream)?.length ?? 0;
  }

  hasRoom(stream: string, count: number): boolean {
    return this.lengthOf(stream) + count <= this.streamLengthMax;
  }

  /** Counts what is on its way, so that concurrent adds of this process do not each see the same room. */
  reserve(stream: string, count: number): void {
    const seen = this.seen.get(stream);
    if (seen !== undefined) seen.length += count;
  }
}
