import type { Delivery } from '../stream-transport.ts';
import { BatchFailure, HandlerUnavailable, reasonOf } from '../transport-error.ts';
import type { ConsumeSettings } from './consume-settings.ts';
import { Backoff, Signal } from './signal.ts';

/** From this delivery on an entry is handed over alone. */
const ALONE_FROM_DELIVERY = 3;
const UNAVAILABLE_MS_FIRST = 100;
const UNAVAILABLE_MS_MAX = 2_000;

export interface HandingOverOutcome {
  handled(batch: readonly Delivery[]): void;
  failed(delivery: Delivery, reason: string): void;
  /** Failed, and no further delivery can help. */
  hopeless(delivery: Delivery, reason: string): void;
  unavailable(count: number, reason: string): void;
  /** Not handed over, because it is stopped. */
  leftOver(deliveries: readonly Delivery[]): void;
}

/** Hands deliveries to the handler, one batch at a time; what arrives meanwhile makes up the next batch. */
export class HandingOver {
  private waiting: Delivery[] = [];
  private running = false;
  private stopped = false;
  private readonly pause = new Signal();
  private readonly settings: ConsumeSettings;
  private readonly outcome: HandingOverOutcome;

  constructor(settings: ConsumeSettings, outcome: HandingOverOutcome) {
    this.settings = settings;
    this.outcome = outcome;
  }

  push(deliveries: readonly Delivery[]): void {
    if (deliveries.length === 0) return;
    if (this.stopped) return this.outcome.leftOver(deliveries);
    this.waiting = this.waiting.length === 0 ? [...deliveries] : [...this.waiting, ...deliveries];
    if (!this.running) void this.run();
  }

  /** Leaves over what waits; the batch under way goes on, but is not repeated. */
  stop(): void {
    this.stopped = true;
    this.pause.notify();
    this.outcome.leftOver(this.waiting.splice(0));
  }

  private async run(): Promise<void> {
    this.running = true;
    while (this.waiting.length > 0) await this.handOver(this.takeBatch());
    this.running = false;
  }

  private takeBatch(): Delivery[] {
    const size = this.waiting.findIndex((delivery) => this.goesAlone(delivery));
    if (size === 0) return this.waiting.splice(0, 1);
    return this.waiting.splice(0, Math.min(this.settings.batchMax, size < 0 ? this.waiting.length : size));
  }

  private goesAlone(delivery: Delivery): boolean {
    return delivery.deliveries > 1 && delivery.deliveries >= Math.min(ALONE_FROM_DELIVERY, this.settings.deliveriesMax);
  }

  private async handOver(batch: readonly Delivery[]): Promise<void> {
    const backoff = new Backoff(UNAVAILABLE_MS_FIRST, UNAVAILABLE_MS_MAX);
    for (;;) {
      try {
        await this.settings.handle(batch);
        return this.outcome.handled(batch);
      } catch (thrown) {
        if (!(thrown instanceof HandlerUnavailable)) return this.judge(batch, thrown);
        this.outcome.unavailable(batch.length, thrown.message);
      }
      if (!this.stopped) await this.pause.wait(backoff.next());
      if (this.stopped) return this.outcome.leftOver(batch);
    }
  }

  private judge(batch: readonly Delivery[], thrown: unknown): void {
    const failed = thrown instanceof BatchFailure ? thrown.failed : undefined;
    const whole = failed === undefined ? reasonOf(thrown) : undefined;
    this.outcome.handled(whole === undefined ? batch.filter((delivery) => !failed?.has(delivery)) : []);
    for (const delivery of batch) {
      const reason = whole ?? failed?.get(delivery);
      if (reason === undefined) continue;
      if (thrown instanceof BatchFailure && thrown.hopeless.has(delivery)) this.outcome.hopeless(delivery, reason);
      else this.outcome.failed(delivery, reason);
    }
  }
}
