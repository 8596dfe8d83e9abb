import type { ReadRequest } from './group-port.ts';

/** Wait of a read that cannot watch all streams because the free capacity is below their number. */
const PARTIAL_BLOCK_MS = 20;

/**
 * Chooses what the next read asks for. A read's count is per stream, so the free capacity is divided among the streams; with
 * less capacity than streams they take turns. After a read in which streams gave all that was asked, these are read alone
 * once with the whole capacity: one busy stream among hundreds must not be read in crumbs.
 */
export class ReadPlan {
  private streams: readonly string[] = [];
  private busy: readonly string[] = [];
  private turn = 0;

  setStreams(streams: readonly string[]): void {
    this.streams = [...new Set(streams)];
    this.busy = [];
  }

  get all(): readonly string[] {
    return this.streams;
  }

  /** `capacity` is at least 1 and there is at least one stream. */
  next(capacity: number, batchMax: number, blockMs: number): ReadRequest {
    if (this.busy.length > 0 && this.busy.length < this.streams.length) {
      const streams = this.busy.slice(0, capacity);
      this.busy = [];
      return { streams, count: share(capacity, streams.length, batchMax), blockMs: 0 };
    }
    if (capacity >= this.streams.length) {
      return { streams: this.rotated(), count: share(capacity, this.streams.length, batchMax), blockMs };
    }
    return { streams: this.rotated().slice(0, capacity), count: 1, blockMs: Math.min(blockMs, PARTIAL_BLOCK_MS) };
  }

  /** Learns from an answer which streams have more. */
  answered(request: ReadRequest, perStream: ReadonlyMap<string, number>): void {
    if (request.streams.length < this.streams.length) return;
    this.busy = request.streams.filter((stream) => (perStream.get(stream) ?? 0) >= request.count);
  }

  private rotated(): readonly string[] {
    if (this.streams.length < 2) return this.streams;
    this.turn = (this.turn + 1) % this.streams.length;
    return [...this.streams.slice(this.turn), ...this.streams.slice(0, this.turn)];
  }
}

function share(capacity: number, streams: number, batchMax: number): number {
  return Math.max(1, Math.min(batchMax, Math.floor(capacity / streams)));
}
