import type { Delivery } from '../stream-transport.ts';

/** A delivered, not acknowledged entry: the id and how often it was delivered so far. */
export interface PendingEntry {
  readonly stream: string;
  readonly id: string;
  readonly deliveries: number;
}

export interface ReadRequest {
  readonly streams: readonly string[];
  /** Most entries per stream. */
  readonly count: number;
  /** Longest wait when nothing is there; 0 does not wait. */
  readonly blockMs: number;
}

export interface PendingQuery {
  readonly streams: readonly string[];
  readonly idleMs: number;
  /** Most entries per stream. */
  readonly count: number;
  /** Only what this consumer itself owns. */
  readonly own: boolean;
}

/** What the consumer's loop needs of a technology, for one consumer of one group. Missing groups are made on the way. */
export interface GroupPort {
  read(request: ReadRequest): Promise<readonly Delivery[]>;
  /** Ends a waiting read early, with what it has. */
  interrupt(): void;
  pending(query: PendingQuery): Promise<readonly PendingEntry[]>;
  /** Takes over what is still idle for `minIdleMs`; one caller wins. Counts as one more delivery. */
  claim(entries: readonly PendingEntry[], minIdleMs: number): Promise<readonly Delivery[]>;
  /** Renews the claim on what this consumer still owns. */
  keep(deliveries: readonly Delivery[]): Promise<void>;
  /** Makes deliveries look abandoned, so that others take them at once, and takes their last delivery off the count. */
  offer(deliveries: readonly Delivery[]): Promise<void>;
  /** Moves deliveries to the dead letters, atomically. */
  bury(deliveries: readonly Delivery[], reason: string): Promise<void>;
  ack(deliveries: readonly Delivery[]): Promise<void>;
  /** Removes names of consumers that hold nothing and were idle for `idleMs`. */
  forgetConsumers(streams: readonly string[], idleMs: number): Promise<void>;
  /** Removes this consumer's own name from streams where it owns nothing, and disconnects. */
  close(streams: readonly string[]): Promise<void>;
}
