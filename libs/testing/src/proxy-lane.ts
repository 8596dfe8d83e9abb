import type { Socket } from 'node:net';

/** What a bad link does to what passes, in each direction. Without a field that part is well. */
export interface LinkWeather {
  /** Milliseconds that a piece waits, drawn anew for each between both. The order stays. */
  readonly latency?: readonly [from: number, to: number];
  readonly bytesPerSecond?: number;
  /** Pieces are cut to this size at the most, so that messages come in parts. */
  readonly pieceBytesMax?: number;
  /** The chance of each piece that the connection is reset instead. */
  readonly resetChance?: number;
  /** Draws a number in [0, 1). */
  readonly dice: () => number;
}

/** Beyond this the sender is not read any more: its own buffers fill, as they would before a slow link. */
const BACKLOG_BYTES_MAX = 64 * 1024;

/** One direction of one connection through a proxy. Pieces keep their order, whatever the weather. */
export class ProxyLane {
  private readonly waiting: { readonly piece: Buffer; readonly dueAt: number }[] = [];
  private backlogBytes = 0;
  private freeAt = 0;
  private isFull = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
  ) {}

  pass(piece: Buffer, weather: LinkWeather | null, latencyMs: number): void {
    if (weather?.resetChance && weather.dice() < weather.resetChance) {
      this.from.resetAndDestroy();
      this.to.resetAndDestroy();
      return;
    }
    const bytesMax = weather?.pieceBytesMax ?? piece.length;
    for (let at = 0; at < piece.length; at += bytesMax) this.send(piece.subarray(at, at + bytesMax), weather, latencyMs);
  }

  close(): void {
    clearTimeout(this.timer);
    this.waiting.length = 0;
  }

  private send(piece: Buffer, weather: LinkWeather | null, latencyMs: number): void {
    const [low, high] = weather?.latency ?? [latencyMs, latencyMs];
    const onWireMs = weather?.bytesPerSecond ? (piece.length / weather.bytesPerSecond) * 1_000 : 0;
    const now = performance.now();
    const flightMs = low + (high > low ? (weather?.dice() ?? 0) * (high - low) : 0);
    this.freeAt = Math.max(now + flightMs, this.freeAt) + onWireMs;
    // Nothing stands before it: it passes at once, as over a good link.
    if (this.freeAt <= now && this.waiting.length === 0) return this.write(piece);
    this.waiting.push({ piece, dueAt: this.freeAt });
    this.backlogBytes += piece.length;
    if (this.backlogBytes > BACKLOG_BYTES_MAX) this.from.pause();
    this.timer ??= setTimeout(() => this.deliver(), this.freeAt - now);
  }

  private deliver(): void {
    const now = performance.now();
    const due = this.waiting.findIndex(({ dueAt }) => dueAt > now);
    for (const { piece } of this.waiting.splice(0, due < 0 ? this.waiting.length : due)) {
      this.backlogBytes -= piece.length;
      this.write(piece);
    }
    this.readOn();
    const [next] = this.waiting;
    this.timer = next && setTimeout(() => this.deliver(), Math.max(1, next.dueAt - now));
  }

  /** A reader that takes nothing holds the sender up, as it would without a proxy between them. */
  private write(piece: Buffer): void {
    if (!this.to.writable || this.to.write(piece) || this.isFull) return;
    this.isFull = true;
    this.from.pause();
    this.to.once('drain', () => {
      this.isFull = false;
      this.readOn();
    });
  }

  private readOn(): void {
    if (!this.isFull && this.backlogBytes <= BACKLOG_BYTES_MAX) this.from.resume();
  }
}
