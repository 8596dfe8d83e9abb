import type { GroupPort, PendingEntry, PendingQuery, ReadRequest } from '../consumer/group-port.ts';
import type { Delivery } from '../stream-transport.ts';
import type { OnTransportEvent } from '../transport-event.ts';
import type { MemoryGroup } from './memory-stream.ts';
import type { StreamBroker } from './stream-broker.ts';

const GIVEN_BACK = 'given-back';

export interface InProcessGroupSettings {
  readonly group: string;
  readonly consumer: string;
  readonly deadLetterLengthMax: number;
}

/** One consumer of one group on the broker of this process. */
export class InProcessGroup implements GroupPort {
  private endRead: ((isNew: boolean) => void) | undefined;
  private interrupted = false;
  private readonly broker: StreamBroker;
  private readonly settings: InProcessGroupSettings;
  private readonly tell: OnTransportEvent;

  constructor(broker: StreamBroker, settings: InProcessGroupSettings, tell: OnTransportEvent) {
    this.broker = broker;
    this.settings = settings;
    this.tell = tell;
  }

  async read(request: ReadRequest): Promise<readonly Delivery[]> {
    this.interrupted = false;
    // One round of the event loop between reads: a handler that feeds its own stream must not starve timers and sockets.
    await new Promise((resolve) => setImmediate(resolve));
    const ready = this.takeNew(request);
    // An interruption within that round found nothing to end yet; forgotten, it would cost the whole wait.
    if (ready.length > 0 || request.blockMs === 0 || this.interrupted) return ready;
    return (await this.somethingNew(request)) ? this.takeNew(request) : [];
  }

  interrupt(): void {
    this.interrupted = true;
    this.endRead?.(false);
  }

  pending(query: PendingQuery): Promise<readonly PendingEntry[]> {
    const touchedBefore = performance.now() - query.idleMs;
    return Promise.resolve(
      query.streams.flatMap((stream) => {
        const idle = [...this.group(stream).pending].filter(
          ([, claim]) => claim.touchedAt <= touchedBefore && (!query.own || claim.owner === this.settings.consumer),
        );
        return idle.slice(0, query.count).map(([id, { deliveries }]) => ({ stream, id, deliveries }));
      }),
    );
  }

  claim(entries: readonly PendingEntry[], minIdleMs: number): Promise<readonly Delivery[]> {
    const now = performance.now();
    const claimed: Delivery[] = [];
    for (const { stream, id } of entries) {
      const claim = this.group(stream).pending.get(id);
      if (claim === undefined || claim.touchedAt > now - minIdleMs) continue;
      Object.assign(claim, { owner: this.settings.consumer, touchedAt: now, deliveries: claim.deliveries + 1 });
      claimed.push({ stream, id, body: claim.entry.body, deliveries: claim.deliveries });
    }
    return Promise.resolve(claimed);
  }

  keep(deliveries: readonly Delivery[]): Promise<void> {
    for (const claim of this.owned(deliveries)) claim.touchedAt = performance.now();
    return Promise.resolve();
  }

  offer(deliveries: readonly Delivery[]): Promise<void> {
    for (const claim of this.owned(deliveries))
      Object.assign(claim, { owner: GIVEN_BACK, touchedAt: -Infinity, deliveries: claim.deliveries - 1 });
    return Promise.resolve();
  }

  bury(deliveries: readonly Delivery[], reason: string): Promise<void> {
    for (const { stream, id, body, deliveries: count } of deliveries) {
      const { dead } = this.broker.stream(stream);
      dead.push({ id: this.broker.ids.next(), body, reason, entryId: id, deliveries: count, buriedAt: Date.now() });
      dead.splice(0, Math.max(0, dead.length - this.settings.deadLetterLengthMax));
    }
    return this.ack(deliveries);
  }

  ack(deliveries: readonly Delivery[]): Promise<void> {
    for (const { stream, id } of deliveries) this.broker.find(stream)?.ack(this.settings.group, id);
    return Promise.resolve();
  }

  /** Names of consumers live only in their claims here. */
  forgetConsumers(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.endRead?.(false);
    return Promise.resolve();
  }

  private takeNew(request: ReadRequest): readonly Delivery[] {
    const now = performance.now();
    return request.streams.flatMap((stream) => {
      const taken = this.group(stream).take(request.count, this.settings.consumer, now);
      return taken.map(({ id, body }) => ({ stream, id, body, deliveries: 1 }));
    });
  }

  /** False when the wait was over or interrupted first. */
  private somethingNew(request: ReadRequest): Promise<boolean> {
    return new Promise((resolve) => {
      const unlisten = this.broker.listen(request.streams, () => this.endRead?.(true));
      const timer = setTimeout(() => this.endRead?.(false), request.blockMs);
      this.endRead = (isNew) => {
        this.endRead = undefined;
        clearTimeout(timer);
        unlisten();
        resolve(isNew);
      };
    });
  }

  private group(stream: string): MemoryGroup {
    const { group, fresh } = this.broker.stream(stream).group(this.settings.group);
    if (fresh) this.tell({ type: 'nogroup', group: this.settings.group, streams: [stream] });
    return group;
  }

  private owned(deliveries: readonly Delivery[]) {
    return deliveries.flatMap(({ stream, id }) => {
      const claim = this.broker.find(stream)?.groups.get(this.settings.group)?.pending.get(id);
      return claim?.owner === this.settings.consumer ? [claim] : [];
    });
  }
}
