import type {
  ConsumeOptions,
  DeadLetter,
  Delivery,
  StreamConsumer,
  StreamDepth,
  StreamEntry,
  StreamTransport,
  TransportHealth,
} from '#transport';
import { Consumers } from '../../../libs/transport/src/consumer/consumers.ts';
import { InProcessGroup } from '../../../libs/transport/src/in-process/in-process-group.ts';
import { NetworkedGroup } from './networked-group.ts';
import type { StreamLink } from './stream-link.ts';

/** What a world may do otherwise than the protocol says. */
export interface TransportTwists {
  readonly ackBeforeAdd: boolean;
  /** A redelivered task looks like a new one. */
  readonly forgetsDeliveries: boolean;
}

/**
 * The transport of one simulated process: the real consumer loop over the in-process broker, with a network in between. Names carry the
 * epoch, as the keys of Redis do.
 */
export class NetworkedTransport implements StreamTransport {
  private readonly consumers = new Consumers(() => undefined);
  private readonly server;

  constructor(
    private readonly link: StreamLink,
    private readonly prefix: string,
    private readonly twists: TransportTwists,
  ) {
    this.server = link.server.face();
  }

  get health(): TransportHealth {
    return { connected: !this.link.server.isDown, quietMs: 0 };
  }

  add(entries: readonly StreamEntry[]): Promise<void> {
    const named = this.named(entries);
    const { weather } = this.link;
    if (weather.happens('message acknowledged and lost')) return this.link.call('add, and forgets it', () => Promise.resolve());
    const work = () => this.remembering(named, () => this.server.add(named));
    if (weather.happens('message delayed')) {
      this.link.later('add', work);
      return this.link.call('add, but later', () => Promise.resolve());
    }
    return this.link.call('add', work, work);
  }

  async addThenAck(entries: readonly StreamEntry[], acks: readonly Delivery[], group: string): Promise<void> {
    const named = this.named(entries);
    const acked = this.namedDeliveries(acks);
    const both = () => this.remembering(named, () => this.server.addThenAck(named, acked, group));
    const { weather } = this.link;
    if (this.twists.ackBeforeAdd && acked.length > 0) {
      await this.link.call('ack first', () => this.server.ack(acked, group));
      this.consumers.letGo(acked, group);
      // Rare as a loss is, it has to fall between the two for anybody to see the difference.
      if (!weather.happens('request lost', 30))
        await this.link.call('add then', () => this.remembering(named, () => this.server.add(named))).catch(() => undefined);
    } else if (weather.happens('message acknowledged and lost')) {
      // A failover that lost the newest writes: both halves of the step, for they are one.
      await this.link.call('add and ack, and forgets them', () => Promise.resolve());
    } else if (weather.happens('message delayed')) {
      this.link.later('add and ack', both);
      await this.link.call('add and ack, but later', () => Promise.resolve());
    } else await this.link.call('add and ack', both, both);
    this.consumers.letGo(acked, group);
  }

  async ack(deliveries: readonly Delivery[], group: string): Promise<void> {
    await this.link.call('ack', () => this.server.ack(this.namedDeliveries(deliveries), group));
    this.consumers.letGo(this.namedDeliveries(deliveries), group);
  }

  consume(options: ConsumeOptions): StreamConsumer {
    const prefixed = {
      ...options,
      streams: options.streams.map((stream) => this.prefix + stream),
      handle: (batch: readonly Delivery[]) => options.handle(batch.map((delivery) => this.unnamed(delivery))),
    };
    const consumer = this.consumers.start(
      prefixed,
      (settings) => new NetworkedGroup(this.link, new InProcessGroup(this.link.server.broker, settings, () => undefined)),
    );
    return {
      setStreams: (streams) => consumer.setStreams(streams.map((stream) => this.prefix + stream)),
      release: (delivery, reason) => consumer.release(this.renamed(delivery), reason),
      bury: (delivery, reason) => consumer.bury(this.renamed(delivery), reason),
      giveBack: (deliveries) => consumer.giveBack(this.namedDeliveries(deliveries)),
      kick: () => consumer.kick(),
      stop: (how) => consumer.stop(how),
      get inFlight() {
        return consumer.inFlight;
      },
      get progress() {
        return consumer.progress;
      },
    };
  }

  depth(stream: string, group: string): Promise<StreamDepth> {
    return this.link.call('depth', () => this.server.depth(this.prefix + stream, group));
  }

  waitingHead(stream: string, group: string, count: number): Promise<readonly { readonly id: string; readonly body: string }[]> {
    return this.link.call('head', () => this.server.waitingHead(this.prefix + stream, group, count));
  }

  deadLetters(stream: string, page: { readonly after?: string; readonly count: number }): Promise<readonly DeadLetter[]> {
    return this.link.call('dead letters', () => this.server.deadLetters(this.prefix + stream, page));
  }

  replayDeadLetters(stream: string, ids: readonly string[] | 'all'): Promise<number> {
    return this.link.call('replay', () => this.server.replayDeadLetters(this.prefix + stream, ids));
  }

  mark(key: string, value: string, ttlMs: number): Promise<void> {
    const work = () => this.server.mark(this.prefix + key, value, ttlMs);
    return this.link.call('mark', work);
  }

  marks(keys: readonly string[]): Promise<readonly (string | null)[]> {
    return this.link.call('marks', () => this.server.marks(keys.map((key) => this.prefix + key)));
  }

  generation(): Promise<string> {
    return this.link.call('generation', () => this.server.generation());
  }

  ping(): Promise<number> {
    return this.link.call('ping', () => Promise.resolve(1));
  }

  close(): Promise<void> {
    return this.consumers.stopAll(100);
  }

  private named(entries: readonly StreamEntry[]): StreamEntry[] {
    const named = entries.map(({ stream, body }) => ({ stream: this.prefix + stream, body }));
    this.link.kernel.tell(
      () => `${this.link.process.name} adds ${named.map(({ stream, body }) => `${stream} ${summaryOf(body)}`).join(', ')}`,
    );
    return named;
  }

  /** Runs at the server. */
  private remembering(entries: readonly StreamEntry[], work: () => Promise<void>): Promise<void> {
    for (const entry of entries) this.link.server.remember(entry, this.link.process.name);
    return work();
  }

  private namedDeliveries(deliveries: readonly Delivery[]): Delivery[] {
    return deliveries.map((delivery) => this.renamed(delivery));
  }

  private renamed(delivery: Delivery): Delivery {
    return { ...delivery, stream: this.prefix + delivery.stream };
  }

  private unnamed(delivery: Delivery): Delivery {
    const deliveries = this.twists.forgetsDeliveries ? 1 : delivery.deliveries;
    return { ...delivery, deliveries, stream: delivery.stream.slice(this.prefix.length) };
  }
}

/** A message for a reader of traces. */
function summaryOf(body: string): string {
  const { kind, outcome, runId, stepNo, epoch, dispatchNo, held } = JSON.parse(body) as Readonly<Record<string, string | undefined>> & {
    readonly held?: readonly (readonly [string, number, number])[];
  };
  if (held) return `holding ${held.map(([run, step, dispatch]) => `${run.slice(-4)}/${step}#${dispatch}`).join(' ') || 'nothing'}`;
  return `${kind ?? ''} ${outcome ?? ''} ${(runId ?? '').slice(-4)}/${stepNo ?? ''}#${epoch ?? ''}.${dispatchNo ?? ''}`;
}
