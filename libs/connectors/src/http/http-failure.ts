import { types } from 'node:util';
import { StepFailure, nonRetryable } from '#sdk';

const retriedStatuses = [408, 425, 429];

/** The failure for an unexpected status. 408, 425, 429 and 5xx are worth another try, and the answer may say when. */
export function statusFailure(what: string, status: number, retryAfter: string | undefined, now: number): StepFailure {
  const message = `${what} answered ${status}.`;
  if (status < 500 && !retriedStatuses.includes(status)) return nonRetryable(`http.status.${status}`, message);
  return new StepFailure(`http.status.${status}`, message, { retryAfterSeconds: retryAfterSeconds(retryAfter, now) });
}

/** Seconds of a Retry-After header, which is a number of seconds or a date; null when it is absent or neither. */
export function retryAfterSeconds(header: string | undefined, now: number): number | null {
  if (header === undefined) return null;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header);
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, Math.ceil((date - now) / 1_000));
}

const networkCodes: Readonly<Record<string, string>> = {
  ENOTFOUND: 'name_not_found',
  EAI_AGAIN: 'name_not_found',
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  UND_ERR_SOCKET: 'reset',
  ETIMEDOUT: 'timeout',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
};

/** The failure for a request that got no answer, always worth another try. Says the kind of fault, never the URL. */
export function networkFailure(what: string, error: unknown): StepFailure {
  const code = errorCode(error);
  const kind = networkCodes[code] ?? (/CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO/.test(code) ? 'tls' : 'failed');
  return new StepFailure(`http.network.${kind}`, `${what} got no answer${code ? ` (${code})` : ''}.`, { cause: error });
}

/** The code of an error, or of the first of several (one per address that was tried). */
function errorCode(error: unknown): string {
  if (!types.isNativeError(error)) return '';
  if ('errors' in error && Array.isArray(error.errors) && error.errors.length > 0) return errorCode(error.errors[0]);
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}
