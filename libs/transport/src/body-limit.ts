import type { StreamEntry } from './stream-transport.ts';
import { BodyTooLargeError, TransportError } from './transport-error.ts';

/** Throws `transport.body_too_large` for the first body above the limit. */
export function bodiesWithin(entries: readonly StreamEntry[], bodyBytesMax: number): void {
  for (const { stream, body } of entries) {
    // A text has at most three bytes for each of its units: short ones need no counting.
    if (body.length * 3 <= bodyBytesMax) continue;
    const bytes = Buffer.byteLength(body);
    if (bytes > bodyBytesMax) throw new BodyTooLargeError(stream, bytes, bodyBytesMax);
  }
}

/** Throws `transport.mark_too_large` or `transport.bad_option`. */
export function markWithin(key: string, value: string, ttlMs: number, markBytesMax: number): void {
  const bytes = Buffer.byteLength(value);
  if (bytes > markBytesMax) {
    throw new TransportError('transport.mark_too_large', `The mark ${key} has ${bytes} bytes; ${markBytesMax} are allowed.`, {
      key,
      bytes,
      markBytesMax,
    });
  }
  if (!Number.isInteger(ttlMs) || ttlMs < 1) {
    throw new TransportError('transport.bad_option', `The mark ${key} must live for at least one whole millisecond.`, { key, ttlMs });
  }
}
