/** One entry of a stream in the hands of a consumer. `deliveries` is 1 at first and grows with each further delivery. */
export interface Delivery {
  readonly stream: string;
  readonly id: string;
  readonly body: string;
  readonly deliveries: number;
}

export interface StreamEntry {
  readonly stream: string;
  readonly body: string;
}

/** `length` = `waiting` (not yet delivered to the group) + `pending` (delivered, not acknowledged). */
export interface StreamDepth {
  readonly length: number;
  readonly waiting: number;
  readonly pending: number;
  readonly oldestWaitingMs: number | null;
  /** Age of the oldest entry that is not acknowledged, whether it waits or is pending. */
  readonly oldestMs: number | null;
}

export interface DeadLetter {
  /** Id in the dead letters; `replayDeadLetters` takes it. */
  readonly id: string;
  readonly body: string;
  readonly reason: string;
  /** Id that the entry had in its stream. */
  readonly entryId: string;
  readonly deliveries: number;
  /** Epoch milliseconds. */
  readonly buriedAt: number;
}

export interface TransportHealth {
  readonly connected: boolean;
  /** Milliseconds since the last answer; Infinity before the first. Whatever the wall clock does. */
  readonly quietMs: number;
}

export interface ConsumeOptions {
  readonly group: string;
  /** Name of this consumer, unique among the live consumers of its group. */
  readonly consumer: string;
  readonly streams: readonly string[];
  /** Most deliveries of one `handle` call. */
  readonly batchMax: number;
  /** Most deliveries that this consumer has taken and not yet acknowledged or given back. Never exceeded. */
  readonly inFlightMax: number;
  /** Longest wait of one read, at most 2,000: it bounds how long a silent link goes unnoticed. */
  readonly blockMs?: number;
  /** A delivery that nobody has touched for so long is taken over. Held deliveries are touched every third of it. */
  readonly reclaimIdleMs: number;
  readonly reclaimEveryMs: number;
  /** After so many failed deliveries an entry becomes a dead letter. */
  readonly deliveriesMax: number;
  /** Dead letters kept per stream; the oldest go first. */
  readonly deadLetterLengthMax: number;
  /** Pause before the first redelivery; it doubles with each further one, up to `redeliveryMsMax`. Default 200 and 10,000. */
  readonly redeliveryMs?: number;
  readonly redeliveryMsMax?: number;
  /** Names of consumers of the group that hold nothing and were not seen for so long are removed. Default 300,000. */
  readonly consumerIdleMs?: number;
  /**
   * Called with one batch at a time, in stream order. Throw `BatchFailure` when some failed, `HandlerUnavailable` when an
   * outage prevented all; any other throw fails the whole batch. From the third delivery on an entry is handed over alone,
   * so that one poisonous entry does not drag its neighbours along.
   */
  handle(batch: readonly Delivery[]): Promise<void>;
  /** `auto`: acknowledged after `handle` resolved. `manual`: held until ack, addThenAck, release, bury or giveBack. */
  readonly acknowledge: 'auto' | 'manual';
}

/** How a consumer gets on, in milliseconds: what a readiness check looks at. */
export interface ConsumerProgress {
  /** Since when deliveries are held and none has been settled; 0 when none is held. */
  readonly standingMs: number;
  /** Since the streams were last looked at with success. A look takes as long as one read waits. */
  readonly unreadMs: number;
}

export interface StreamConsumer {
  /**
   * Replaces the streams that are read, at once; resolves when the last read of the old ones has ended. Deliveries of
   * streams left behind stay in flight.
   */
  setStreams(streams: readonly string[]): Promise<void>;
  /** Says that a held delivery failed: delivered again after a pause, or a dead letter after `deliveriesMax`. */
  release(delivery: Delivery, reason: string): void;
  /** Says that a held delivery failed and that no further delivery can help: a dead letter at once. */
  bury(delivery: Delivery, reason: string): void;
  /** Hands held deliveries back untouched: others may take them at once and no delivery is counted. For draining. */
  giveBack(deliveries: readonly Delivery[]): Promise<void>;
  /** Looks at once for new and for abandoned deliveries, without waiting for the next turn. */
  kick(): void;
  readonly inFlight: number;
  readonly progress: ConsumerProgress;
  /**
   * Stops reading, gives back what was not handed over yet, waits up to `graceMs` for what is held, then gives back the
   * rest. Safe to call twice.
   */
  stop(options: { readonly graceMs: number }): Promise<void>;
}

/**
 * Durable streams with consumer groups, delivered at least once. A stream has one group: what the group acknowledges is
 * deleted. Calls wait for a lost server up to the transport's command timeout, then throw `transport.unreachable`; since an
 * answer may be lost on its way, what is repeated may be added twice.
 */
export interface StreamTransport {
  /**
   * Adds all entries in one round trip, in order per stream. Throws `transport.body_too_large` (nothing was added) or
   * `transport.back_pressure` (nothing was added to the streams it names, everything to the others).
   */
  add(entries: readonly StreamEntry[]): Promise<void>;
  /**
   * Adds, then acknowledges, as one atomic step where the streams live together; otherwise acknowledges only after all was
   * added. Throws like `add`, but then nothing at all was added or acknowledged.
   */
  addThenAck(entries: readonly StreamEntry[], acks: readonly Delivery[], group: string): Promise<void>;
  /** Acknowledges and deletes. Safe to call twice. */
  ack(deliveries: readonly Delivery[], group: string): Promise<void>;
  consume(options: ConsumeOptions): StreamConsumer;
  /** Zeros for a stream that does not exist. */
  depth(stream: string, group: string): Promise<StreamDepth>;
  /** The first entries that were not delivered to the group yet: a sweeper compares them with its own truth. */
  waitingHead(stream: string, group: string, count: number): Promise<readonly { readonly id: string; readonly body: string }[]>;
  /** Dead letters of a stream, oldest first, beginning after the id `after`. */
  deadLetters(stream: string, page: { readonly after?: string; readonly count: number }): Promise<readonly DeadLetter[]>;
  /** Adds the bodies to their stream again and removes the letters. Returns how many. Unknown ids are skipped. */
  replayDeadLetters(stream: string, ids: readonly string[] | 'all'): Promise<number>;
  /** Sets a small value that goes away after `ttlMs`. Throws `transport.mark_too_large` above `markBytesMax`. */
  mark(key: string, value: string, ttlMs: number): Promise<void>;
  /** Values of marks in the order of the keys; null where there is none (any more). */
  marks(keys: readonly string[]): Promise<readonly (string | null)[]>;
  /** A random value kept with the streams since their first use. Another value tells that the server lost everything. */
  generation(): Promise<string>;
  /** Round trip in milliseconds on a connection reserved for this. Throws `transport.unreachable` after `timeoutMs`. */
  ping(timeoutMs: number): Promise<number>;
  readonly health: TransportHealth;
  /**
   * Stops all consumers, waits for what is in flight, disconnects. With a lost server it takes the grace and about one command
   * timeout more. Safe to call twice.
   */
  close(): Promise<void>;
}

export interface StreamLimits {
  /** Bytes of one body as UTF-8. */
  readonly bodyBytesMax: number;
  /** Entries of one stream, waiting and pending. Producers may together overshoot it by one call each. */
  readonly streamLengthMax: number;
  readonly markBytesMax: number;
}

export const STREAM_LIMITS: StreamLimits = { bodyBytesMax: 1_048_576, streamLengthMax: 100_000, markBytesMax: 1_024 };
