import { randomUUID } from 'node:crypto';
import type { ConsumeOptions, Delivery, StreamLimits, StreamTransport } from '../src/stream-transport.ts';
import type { TransportEvent } from '../src/transport-event.ts';

export const GROUP = 'readers';

export interface TransportOptions {
  readonly limits?: Partial<StreamLimits>;
  readonly closeGraceMs?: number;
  readonly onEvent?: (event: TransportEvent) => void;
}

/** What the suite needs beside the contract: more transports on the same streams, and the faults of their server. */
export interface StreamHarness {
  transport(options?: TransportOptions): StreamTransport;
  /** Takes entries as a consumer that dies at once. */
  takeAndVanish(stream: string, count: number): Promise<void>;
  flush(): Promise<void>;
  drop(stream: string): Promise<void>;
  dropGroup(stream: string): Promise<void>;
  /** Closes every transport that was made, then what carries them. */
  close(): Promise<void>;
}

export type MakeHarness = () => Promise<StreamHarness>;

export function streamName(): string {
  return `s:${randomUUID().slice(0, 8)}`;
}

/** Consumer options with short times; the test names what it is about. */
export function consuming(streams: readonly string[], about: Partial<ConsumeOptions> & Pick<ConsumeOptions, 'handle'>): ConsumeOptions {
  return {
    group: GROUP,
    consumer: `c-${randomUUID().slice(0, 8)}`,
    streams,
    batchMax: 500,
    inFlightMax: 1_000,
    reclaimIdleMs: 300,
    reclaimEveryMs: 50,
    deliveriesMax: 3,
    deadLetterLengthMax: 100,
    redeliveryMs: 10,
    acknowledge: 'auto',
    ...about,
  };
}

export function entriesOf(stream: string, bodies: readonly string[]): readonly { stream: string; body: string }[] {
  return bodies.map((body) => ({ stream, body }));
}

export function numbers(count: number, prefix = ''): readonly string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${i}`);
}

/** Remembers what a handler saw. */
export class Seen {
  readonly batches: (readonly Delivery[])[] = [];
  readonly handle = (batch: readonly Delivery[]): Promise<void> => {
    this.batches.push(batch);
    return Promise.resolve();
  };

  get deliveries(): readonly Delivery[] {
    return this.batches.flat();
  }

  get bodies(): readonly string[] {
    return this.deliveries.map(({ body }) => body);
  }
}

/** A promise with its settling in the test's hands. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}
