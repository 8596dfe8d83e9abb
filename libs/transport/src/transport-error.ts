import type { Delivery } from './stream-transport.ts';

/** What went wrong in the transport, with a stable dotted code, a helpful sentence and data without secrets. */
export class TransportError extends Error {
  readonly code: string;
  readonly data: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, data: Readonly<Record<string, unknown>> = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = code;
    this.data = data;
  }
}

/** `transport.unreachable`: the server gave no answer within the time limit. What was sent may or may not have been applied. */
export class UnreachableError extends TransportError {
  constructor(what: string, timeoutMs: number, cause?: unknown) {
    super('transport.unreachable', `The stream server gave no answer to ${what} within ${timeoutMs} ms.`, { what, timeoutMs }, cause);
  }
}

/** `transport.back_pressure`: these streams hold as much as they may. Nothing was added to them; try again later. */
export class BackPressureError extends TransportError {
  readonly streams: readonly string[];

  constructor(streams: readonly string[], data: Readonly<Record<string, unknown>>) {
    super('transport.back_pressure', `Full, add again later: ${streams.slice(0, 5).join(', ')}${streams.length > 5 ? ', …' : ''}.`, {
      streams,
      ...data,
    });
    this.streams = streams;
  }
}

/** `transport.body_too_large`: a body is above `bodyBytesMax`. Nothing of the call was added. */
export class BodyTooLargeError extends TransportError {
  constructor(stream: string, bytes: number, bodyBytesMax: number) {
    super('transport.body_too_large', `A body of ${bytes} bytes for ${stream} is above the limit of ${bodyBytesMax}.`, {
      stream,
      bytes,
      bodyBytesMax,
    });
  }
}

/**
 * Thrown by a handler whose batch failed in part. `failed` gives deliveries of it their reasons (ids tell
 * entries apart only within a stream): these are delivered again or, after
 * `deliveriesMax`, moved to the dead letters; at once when they are `hopeless`, because no further delivery can help. Every
 * other delivery of the batch counts as handled.
 */
export class BatchFailure extends TransportError {
  readonly failed: ReadonlyMap<Delivery, string>;
  readonly hopeless: ReadonlySet<Delivery>;

  constructor(failed: ReadonlyMap<Delivery, string>, hopeless: ReadonlySet<Delivery> = new Set()) {
    super('transport.batch_failed', `${failed.size} deliveries of a batch failed.`, { failed: failed.size });
    this.failed = failed;
    this.hopeless = hopeless;
  }
}

/**
 * Thrown by a handler that could do nothing at all for a reason outside the batch (its database is away). The same batch is
 * handed over again, with a growing pause and without counting a delivery, so that an outage never fills the dead letters.
 */
export class HandlerUnavailable extends TransportError {
  constructor(message: string, cause?: unknown) {
    super('transport.handler_unavailable', message, {}, cause);
  }
}

/** The message of anything thrown, bounded so that it fits an event or a dead letter. */
export function reasonOf(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message : messageOf(thrown);
  return text.slice(0, REASON_LENGTH_MAX);
}

export const REASON_LENGTH_MAX = 1_000;

function messageOf(thrown: unknown): string {
  if (typeof thrown === 'object' && thrown !== null && 'message' in thrown) return String(thrown.message);
  return String(thrown);
}
