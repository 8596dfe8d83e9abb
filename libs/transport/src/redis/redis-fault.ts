import { BackPressureError, TransportError, reasonOf } from '../transport-error.ts';

/** Answers of a server that is there but cannot serve now: starting, failing over, or running a long script. */
const PASSING = /^(READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY)\b/;

/** True when the same call may succeed later on: the link broke, or the server asks for patience. */
export function isOutage(thrown: unknown): boolean {
  if (thrown instanceof TransportError) return thrown.code === 'transport.unreachable';
  const refused = refusalText(thrown);
  return refused === undefined ? thrown instanceof Error : PASSING.test(refused);
}

export function isNoGroup(thrown: unknown): boolean {
  // UNBLOCKED is what servers before 7.2 answer to a waiting reader whose key was deleted.
  return /NOGROUP|^UNBLOCKED/.test(refusalText(thrown) ?? '');
}

/** The library's error for a refusal of the server. */
export function refusal(what: string, thrown: unknown): unknown {
  if (refusalText(thrown) === undefined) return thrown;
  const reason = reasonOf(thrown);
  if (/^OOM\b/.test(reason)) return new BackPressureError([], { what, reason });
  return new TransportError('transport.refused', `The server refused ${what}: ${reason}`, { what, reason }, thrown);
}

/** What the server itself answered; undefined for faults of the link. */
function refusalText(thrown: unknown): string | undefined {
  return thrown instanceof Error && thrown.name === 'ReplyError' ? thrown.message : undefined;
}
