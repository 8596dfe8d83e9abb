import { type CustomTransportStrategy, type MessageHandler, Server } from '@nestjs/microservices';
import { lastValueFrom } from 'rxjs';
import type { ConsumeOptions, Delivery, StreamConsumer, StreamTransport } from '../stream-transport.ts';
import { TransportError } from '../transport-error.ts';
import { type StreamBatch, StreamContext } from './stream-batch.ts';

/** Marks the handlers of streams: `@EventPattern<string>('orders', STREAMS)`. */
export const STREAMS = Symbol('streams');

export type FamilyOptions = Omit<ConsumeOptions, 'streams' | 'handle'>;

export interface StreamsServerOptions {
  readonly transport: StreamTransport;
  /** How each family is consumed. A family that has a handler but no options stops the start with `transport.bad_option`. */
  readonly families: Readonly<Record<string, FamilyOptions>>;
  /** Streams of the families at the start; `setStreams` replaces them later on. */
  readonly streams?: Readonly<Record<string, readonly string[]>>;
  /** How long `close` waits for what is in flight. Default 10,000. */
  readonly closeGraceMs?: number;
}

/**
 * Serves `@EventPattern` handlers from streams, whatever technology carries them. A pattern is the name of a family of
 * streams; which streams belong to it may change at any time. A batch is acknowledged after its handler has completed.
 * `close` stops the consumers and leaves the transport open: it belongs to whoever made it.
 */
export class StreamsServer extends Server implements CustomTransportStrategy {
  override readonly transportId = STREAMS;
  private readonly consumers = new Map<string, StreamConsumer>();
  private readonly streams: Map<string, readonly string[]>;
  private readonly options: StreamsServerOptions;

  constructor(options: StreamsServerOptions) {
    super();
    this.options = options;
    this.streams = new Map(Object.entries(options.streams ?? {}));
  }

  override listen(callback: (error?: unknown) => void): void {
    try {
      for (const [family, handler] of this.messageHandlers) this.consumers.set(family, this.consume(family, handler));
      callback();
    } catch (thrown) {
      callback(thrown);
    }
  }

  /** Replaces the streams of a family, at once when it is being served, else from the start on. */
  async setStreams(family: string, streams: readonly string[]): Promise<void> {
    this.streams.set(family, streams);
    await this.consumers.get(family)?.setStreams(streams);
  }

  /** Undefined before the start and for families without a handler. */
  consumer(family: string): StreamConsumer | undefined {
    return this.consumers.get(family);
  }

  override async close(): Promise<void> {
    const graceMs = this.options.closeGraceMs ?? 10_000;
    await Promise.all([...this.consumers.values()].map((consumer) => consumer.stop({ graceMs })));
  }

  /** The transport tells its events to `onEvent`. */
  override on(): void {
    throw new TransportError('transport.no_driver', 'Listen to events by the onEvent option of the transport.');
  }

  override unwrap(): never {
    throw new TransportError('transport.no_driver', 'Use the transport itself: there is no driver to hand out.');
  }

  private consume(family: string, handler: MessageHandler): StreamConsumer {
    const options = this.options.families[family];
    if (options === undefined)
      throw new TransportError('transport.bad_option', `There are no options for the stream family ${family}.`, { family });
    const consumer: StreamConsumer = this.options.transport.consume({
      ...options,
      streams: this.streams.get(family) ?? [],
      handle: (deliveries) => this.hand(family, handler, deliveries, consumer),
    });
    return consumer;
  }

  private async hand(family: string, handler: MessageHandler, deliveries: readonly Delivery[], consumer: StreamConsumer): Promise<void> {
    const batch: StreamBatch = { family, deliveries };
    const result: unknown = await handler(batch, new StreamContext(family, consumer));
    // A stream may complete without a value: the handler has then handled the batch all the same.
    await lastValueFrom(this.transformToObservable(result), { defaultValue: undefined });
  }
}
