import { InProcessStreamTransport, StreamBroker, type StreamEntry } from '#transport';
import type { Kernel } from '../virtual/kernel.ts';

const SEEN_MAX = 400;

/** The stream server: one broker for all, and the times when it is away. Its memory is gone with `wipe`. */
export class StreamServer {
  readonly broker = new StreamBroker();
  isDown = false;
  /** Messages that went through: old ones may come back. */
  readonly seen: StreamEntry[] = [];
  private readonly underWay = new Set<() => void>();

  constructor(
    readonly kernel: Kernel,
    private readonly streamLengthMax: number,
    private readonly onMessage: (entry: StreamEntry, by: string) => void,
  ) {}

  /** The server's side of one client: the in-process transport's own statements. */
  face(): InProcessStreamTransport {
    return new InProcessStreamTransport(this.broker, { limits: { streamLengthMax: this.streamLengthMax } });
  }

  /** Calls `fail` when the server goes away before `done` was called. */
  watch(fail: () => void): { done: () => void } {
    this.underWay.add(fail);
    return { done: () => void this.underWay.delete(fail) };
  }

  goAway(): void {
    this.isDown = true;
    const failing = [...this.underWay];
    this.underWay.clear();
    for (const fail of failing) fail();
  }

  comeBack(wiped: boolean): void {
    this.isDown = false;
    if (wiped) this.broker.flush();
  }

  /** Names of the streams that were ever used. */
  get names(): string[] {
    return [...new Set(this.seen.map(({ stream }) => stream)), 'tasks:nobody'];
  }

  /** A message has arrived. `by`: the process that sent it. */
  remember(entry: StreamEntry, by: string): void {
    this.onMessage(entry, by);
    if (this.seen.length < SEEN_MAX) this.seen.push(entry);
  }
}
