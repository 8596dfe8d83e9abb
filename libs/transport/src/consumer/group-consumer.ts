import type { ConsumerProgress, Delivery, StreamConsumer } from '../stream-transport.ts';
import { reasonOf } from '../transport-error.ts';
import type { OnTransportEvent } from '../transport-event.ts';
import type { ConsumeSettings } from './consume-settings.ts';
import { DelayedEntries, redeliveryDelay } from './delayed-entries.ts';
import type { GroupPort, PendingEntry } from './group-port.ts';
import { HandingOver } from './handing-over.ts';
import { HeldDeliveries } from './held-deliveries.ts';
import { ReadPlan } from './read-plan.ts';
import { Backoff, Signal } from './signal.ts';

const READ_RETRY_MS_FIRST = 50;
const READ_RETRY_MS_MAX = 1_000;
/** Held deliveries are renewed this often within `reclaimIdleMs`, so that one lost renewal costs nothing. */
const RENEWALS_PER_IDLE = 3;

/**
 * Reads one group's share of many streams, whatever the technology. One loop takes everything (due redeliveries, abandoned
 * entries, new entries), one at a time, so that the free capacity is known exactly and `inFlightMax` holds.
 */
export class GroupConsumer implements StreamConsumer {
  private readonly held = new HeldDeliveries();
  private readonly delayed: DelayedEntries;
  private readonly plan = new ReadPlan();
  private readonly freed = new Signal();
  private readonly nudged = new Signal();
  private readonly backoff = new Backoff(READ_RETRY_MS_FIRST, READ_RETRY_MS_MAX);
  private readonly handing: HandingOver;
  private readonly renewal: NodeJS.Timeout;
  private readonly background = new Set<Promise<void>>();
  private readonly everRead = new Set<string>();
  private readonly loop: Promise<void>;
  private turning: Promise<void> = Promise.resolve();
  private stopping: Promise<void> | undefined;
  private reading = true;
  private settled: (() => void) | undefined;
  private lookedAt = performance.now();
  private settledAt = performance.now();
  private reclaimDueAt = 0;
  private forgetDueAt: number;
  /** After a lost answer the server holds entries for this consumer that it never saw. */
  private answerLost = true;
  private readonly port: GroupPort;
  private readonly settings: ConsumeSettings;
  private readonly tell: OnTransportEvent;
  private readonly onStopped: (consumer: GroupConsumer) => void;

  constructor(port: GroupPort, settings: ConsumeSettings, tell: OnTransportEvent, onStopped: (consumer: GroupConsumer) => void) {
    this.port = port;
    this.settings = settings;
    this.tell = tell;
    this.onStopped = onStopped;
    this.delayed = new DelayedEntries(settings.inFlightMax);
    this.forgetDueAt = performance.now() + settings.consumerIdleMs;
    this.handing = new HandingOver(settings, {
      handled: (batch) => this.handled(batch),
      failed: (delivery, reason) => this.release(delivery, reason),
      hopeless: (delivery, reason) => this.bury(delivery, reason),
      leftOver: (deliveries) => this.track('giving back', () => this.giveBack(deliveries)),
      unavailable: (count, reason) => tell({ type: 'handler_unavailable', group: settings.group, count, reason }),
    });
    this.watch(settings.streams);
    this.renewal = setInterval(() => this.renew(), Math.ceil(settings.reclaimIdleMs / RENEWALS_PER_IDLE));
    this.loop = this.run();
  }

  get group(): string {
    return this.settings.group;
  }

  get inFlight(): number {
    return this.held.size;
  }

  get progress(): ConsumerProgress {
    const now = performance.now();
    return { standingMs: this.held.size === 0 ? 0 : now - this.settledAt, unreadMs: this.reading ? now - this.lookedAt : 0 };
  }

  async setStreams(streams: readonly string[]): Promise<void> {
    this.watch(streams);
    this.reclaimDueAt = 0;
    this.interrupt();
    await this.turning.catch(() => undefined);
  }

  kick(): void {
    this.reclaimDueAt = 0;
    this.interrupt();
  }

  release(delivery: Delivery, reason: string): void {
    if (!this.held.has(delivery.stream, delivery.id)) return;
    const { stream, id, deliveries } = delivery;
    this.tell({ type: 'failed', group: this.group, stream, id, deliveries, reason });
    if (deliveries >= this.settings.deliveriesMax) return this.setAside(delivery, reason);
    const delayMs = redeliveryDelay(deliveries, this.settings.redeliveryMs, this.settings.redeliveryMsMax);
    this.delayed.add({ stream, id, deliveries }, performance.now(), delayMs);
    this.letGo([delivery]);
    // A read that waits began before this entry was due.
    this.port.interrupt();
  }

  bury(delivery: Delivery, reason: string): void {
    const { stream, id, deliveries } = delivery;
    if (!this.held.has(stream, id)) return;
    this.tell({ type: 'failed', group: this.group, stream, id, deliveries, reason });
    this.setAside(delivery, reason);
  }

  async giveBack(deliveries: readonly Delivery[]): Promise<void> {
    const mine = deliveries.filter(({ stream, id }) => this.held.has(stream, id));
    if (mine.length === 0) return;
    await this.port.offer(mine).catch((thrown: unknown) => this.outage('giving back', thrown));
    this.letGo(mine);
  }

  /** Called by the transport once deliveries were acknowledged. */
  letGo(deliveries: readonly { readonly stream: string; readonly id: string }[]): void {
    for (const delivery of deliveries) this.held.remove(delivery);
    this.settledAt = performance.now();
    this.freed.notify();
    if (this.held.size === 0) this.settled?.();
  }

  stop(options: { readonly graceMs: number }): Promise<void> {
    if (this.stopping === undefined) {
      this.reading = false;
      this.stopping = this.wind(options.graceMs);
    }
    return this.stopping;
  }

  private async wind(graceMs: number): Promise<void> {
    this.handing.stop();
    this.interrupt();
    await this.loop;
    await this.drained(graceMs);
    await this.giveBack(this.held.all());
    clearInterval(this.renewal);
    await Promise.all(this.background);
    await this.port.close([...this.everRead]);
    this.onStopped(this);
  }

  private async drained(graceMs: number): Promise<void> {
    if (this.held.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, graceMs);
      this.settled = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private watch(streams: readonly string[]): void {
    this.plan.setStreams(streams);
    for (const stream of streams) this.everRead.add(stream);
  }

  private interrupt(): void {
    this.freed.notify();
    this.nudged.notify();
    this.port.interrupt();
  }

  private async run(): Promise<void> {
    while (this.reading) {
      try {
        this.turning = this.turn();
        await this.turning;
        this.lookedAt = performance.now();
        this.backoff.reset();
      } catch (thrown) {
        this.answerLost = true;
        this.outage('reading', thrown);
        await this.nudged.wait(this.backoff.next());
      }
    }
  }

  private async turn(): Promise<void> {
    if (this.capacity() < 1 || this.plan.all.length === 0) return this.freed.wait(this.settings.blockMs);
    await this.takeOwn();
    await this.takeDue();
    await this.takeAbandoned();
    if (this.capacity() >= 1 && this.reading) await this.takeNew();
  }

  private async takeNew(): Promise<void> {
    const request = this.plan.next(this.capacity(), this.settings.batchMax, this.blockMs());
    const deliveries = await this.port.read(request);
    this.plan.answered(request, countPerStream(deliveries));
    this.accept(deliveries);
  }

  /** What the server delivered to this name but this process does not have: a lost answer, or an earlier life. */
  private async takeOwn(): Promise<void> {
    if (!this.answerLost) return;
    await this.take(this.plan.all, true, 0);
    this.answerLost = false;
  }

  private async takeDue(): Promise<void> {
    const due = this.delayed.takeDue(performance.now(), this.capacity());
    // Half the pause: an entry that another consumer took over meanwhile is not that idle, and stays with it.
    if (due.entries.length > 0) this.accept(await this.port.claim(due.entries, Math.floor(due.delayMs / 2)));
  }

  private async takeAbandoned(): Promise<void> {
    const now = performance.now();
    if (now < this.reclaimDueAt) return;
    this.reclaimDueAt = now + this.settings.reclaimEveryMs;
    const taken = await this.take(this.plan.all, false, this.settings.reclaimIdleMs);
    for (const [stream, count] of countPerStream(taken)) this.tell({ type: 'reclaimed', group: this.group, stream, count });
    if (now < this.forgetDueAt) return;
    this.forgetDueAt = now + this.settings.consumerIdleMs;
    await this.port.forgetConsumers(this.plan.all, this.settings.consumerIdleMs);
  }

  private async take(streams: readonly string[], own: boolean, idleMs: number): Promise<readonly Delivery[]> {
    const capacity = this.capacity();
    if (capacity < 1 || streams.length === 0) return [];
    // Own entries in hand come up in the query as well: ask for so many more.
    const count = capacity + (own ? this.held.size : 0);
    const found = (await this.port.pending({ streams, idleMs, count, own })).filter((entry) => !this.knows(entry));
    const spent = found.filter((entry) => entry.deliveries >= this.settings.deliveriesMax);
    const live = found.filter((entry) => entry.deliveries < this.settings.deliveriesMax).slice(0, capacity);
    if (spent.length > 0) await this.burySpent(spent.slice(0, capacity), idleMs);
    return live.length === 0 ? [] : this.accept(await this.port.claim(live, idleMs));
  }

  private knows(entry: PendingEntry): boolean {
    return this.held.has(entry.stream, entry.id) || this.delayed.has(entry.stream, entry.id);
  }

  private async burySpent(entries: readonly PendingEntry[], idleMs: number): Promise<void> {
    const claimed = await this.port.claim(entries, idleMs);
    if (claimed.length > 0) await this.toDeadLetters(claimed, `Delivered ${this.settings.deliveriesMax} times and never acknowledged.`);
  }

  private accept(deliveries: readonly Delivery[]): readonly Delivery[] {
    if (this.held.size === 0) this.settledAt = performance.now();
    const fresh = deliveries.filter((delivery) => this.held.add(delivery));
    this.handing.push(fresh);
    return fresh;
  }

  private handled(batch: readonly Delivery[]): void {
    if (batch.length === 0 || this.settings.acknowledge === 'manual') return;
    this.track(
      'acknowledging',
      async () => {
        await this.port.ack(batch);
        this.letGo(batch);
      },
      batch,
    );
  }

  private setAside(delivery: Delivery, reason: string): void {
    this.track('dead letter', () => this.toDeadLetters([delivery], reason), [delivery]);
  }

  private async toDeadLetters(deliveries: readonly Delivery[], reason: string): Promise<void> {
    await this.port.bury(deliveries, reason);
    for (const { stream, id, deliveries: count } of deliveries) {
      this.tell({ type: 'dead_letter', group: this.group, stream, id, deliveries: count, reason });
    }
    this.letGo(deliveries);
  }

  /** Runs beside the loop. On a fault the entries stay pending at the server, where the reclaim finds them. */
  private track(what: string, work: () => Promise<void>, holding: readonly Delivery[] = []): void {
    const done = work()
      .catch((thrown: unknown) => {
        this.outage(what, thrown);
        this.letGo(holding);
      })
      .finally(() => this.background.delete(done));
    this.background.add(done);
  }

  private renew(): void {
    const held = this.held.all();
    if (held.length > 0) this.track('renewing claims', () => this.port.keep(held));
  }

  private outage(what: string, thrown: unknown): void {
    this.tell({ type: 'outage', what, reason: reasonOf(thrown) });
  }

  private capacity(): number {
    return this.settings.inFlightMax - this.held.size;
  }

  private blockMs(): number {
    const now = performance.now();
    const due = Math.min(this.delayed.nextIn(now) ?? Infinity, this.reclaimDueAt - now);
    // The server takes whole milliseconds only.
    return Math.ceil(Math.max(1, Math.min(this.settings.blockMs, due)));
  }
}

function countPerStream(deliveries: readonly Delivery[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { stream } of deliveries) counts.set(stream, (counts.get(stream) ?? 0) + 1);
  return counts;
}
