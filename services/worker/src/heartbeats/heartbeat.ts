import { randomUUID } from 'node:crypto';
import { streams, type HeartbeatMessage } from '#contracts';
import type { StreamTransport } from '#transport';
import type { HeldList } from '../steps/held-step.ts';

export interface HeartbeatSettings {
  readonly deployment: string;
  readonly worker: string;
  readonly epoch: number;
  readonly concurrency: number;
  readonly kinds: readonly string[];
  readonly heartbeatSeconds: number;
  readonly leaseSeconds: number;
}

export interface HeartbeatEvents {
  /** What the session holds now. */
  held(): HeldList;
  /** The lease has run out: the scheduler gives the steps to others. */
  leaseLost(): void;
  failed(error: unknown): void;
}

/**
 * Renews the session's lease. It counts from the moment a heartbeat was sent, not from the answer, so that this side never believes in a
 * lease longer than the scheduler does. A lost one is replaced by a new session: what the old one held is not its own any more.
 */
export class Heartbeat {
  private sessionId = randomUUID();
  private beats = 0;
  private renewedAt = performance.now();
  private lost = false;
  private timer: NodeJS.Timeout | undefined;
  private sending: Promise<void> | undefined;

  constructor(
    private readonly transport: Pick<StreamTransport, 'add'>,
    private readonly settings: HeartbeatSettings,
    private readonly events: HeartbeatEvents,
  ) {}

  get session(): string {
    return this.sessionId;
  }

  get ageSeconds(): number {
    return (performance.now() - this.renewedAt) / 1000;
  }

  /** Sends the first one at once, and resolves when it has arrived or failed. */
  async start(): Promise<void> {
    this.timer = setInterval(() => this.beat(), this.settings.heartbeatSeconds * 1000);
    this.beat();
    await this.sending;
  }

  /** Stops, and hands the lease back. */
  async leave(): Promise<void> {
    clearInterval(this.timer);
    await this.sending;
    await this.send(true);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private beat(): void {
    this.checkLease();
    this.sending ??= this.send(false).finally(() => (this.sending = undefined));
  }

  private checkLease(): void {
    if (this.lost || this.ageSeconds <= this.settings.leaseSeconds) return;
    this.lost = true;
    this.events.leaseLost();
    this.sessionId = randomUUID();
    this.beats = 0;
  }

  private async send(leaving: boolean): Promise<void> {
    const { deployment, worker, epoch, concurrency, kinds } = this.settings;
    const sentAt = performance.now();
    // failpoint p19: the heartbeat is due, and has not been sent
    this.beats += 1;
    const message: HeartbeatMessage = {
      v: 1,
      session: this.sessionId,
      worker: worker.slice(0, 253),
      epoch,
      beat: this.beats,
      concurrency,
      ...(leaving ? { held: [], begun: 0 } : this.events.held()),
      kinds: [...kinds],
      leaving,
    };
    try {
      await this.transport.add([{ stream: streams.heartbeats(deployment), body: JSON.stringify(message) }]);
      if (message.session === this.sessionId) this.renewed(sentAt);
    } catch (error) {
      this.events.failed(error);
    }
  }

  private renewed(sentAt: number): void {
    this.renewedAt = sentAt;
    this.lost = false;
  }
}
