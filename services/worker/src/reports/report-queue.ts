import { streams, groups } from '#contracts';
import type { Delivery, StreamEntry, StreamTransport } from '#transport';
import { packed } from './report-packs.ts';
import { Rest } from './rest.ts';

export interface Outgoing {
  /** The report's JSON; null when a task is only to be acknowledged. */
  readonly body: string | null;
  /** The task that the report settles; null for a start report. */
  readonly settles: Delivery | null;
  /** Called when the report is in the stream and its task acknowledged. */
  readonly done?: () => void;
}

/** Bounds of one round trip. */
const batchMax = 500;
const batchBytesMax = 4 * 1024 * 1024;

export interface ReportEvents {
  /** So many reports arrived in one round trip. */
  sent(reports: number): void;
  failed(error: unknown): void;
}

/**
 * Sends reports in the order they come, each batch as soon as the one before has arrived: what waits by then travels together, and nothing
 * waits for company. Nothing is dropped: during an outage or back-pressure it tries again for ever, and its length stays bounded because what
 * is not acknowledged counts as held.
 */
export class ReportQueue {
  private readonly waiting: Outgoing[] = [];
  private flushing: Promise<void> | undefined;
  private readonly rest = new Rest(50, 1_000);
  private closed = false;

  constructor(
    private readonly transport: Pick<StreamTransport, 'addThenAck'>,
    private readonly deployment: string,
    private readonly events: ReportEvents,
  ) {}

  get length(): number {
    return this.waiting.length;
  }

  push(...items: readonly Outgoing[]): void {
    this.waiting.push(...items);
    this.flushing ??= this.flush();
  }

  /** Resolves when all is sent, or when it was closed. */
  async idle(): Promise<void> {
    while (this.flushing) await this.flushing;
  }

  /** Gives up what is unsent: its steps have lost their lease. */
  close(): void {
    this.closed = true;
    this.rest.interrupt();
  }

  private async flush(): Promise<void> {
    // One turn, so that what ends in the same turn travels together.
    await Promise.resolve();
    while (this.waiting.length > 0 && !this.closed) {
      const batch = this.head();
      if (!(await this.send(batch))) continue;
      this.waiting.splice(0, batch.length);
      for (const item of batch) item.done?.();
    }
    // In the turn in which nothing was left: what is pushed in the next one must start anew.
    this.flushing = undefined;
  }

  private async send(batch: readonly Outgoing[]): Promise<boolean> {
    const stream = streams.reports(this.deployment);
    const reports = batch.flatMap(({ body }) => body ?? []);
    const entries = packed(reports).map((body): StreamEntry => ({ stream, body }));
    const acks = batch.flatMap(({ settles }) => settles ?? []);
    try {
      await this.transport.addThenAck(entries, acks, groups.workers);
      this.rest.reset();
      this.events.sent(reports.length);
      return true;
    } catch (error) {
      this.events.failed(error);
      await this.rest.pause();
      return false;
    }
  }

  private head(): Outgoing[] {
    let bytes = 0;
    const batch: Outgoing[] = [];
    for (const item of this.waiting) {
      bytes += item.body?.length ?? 0;
      if (batch.length > 0 && (batch.length === batchMax || bytes > batchBytesMax)) break;
      batch.push(item);
    }
    return batch;
  }
}
