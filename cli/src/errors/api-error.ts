import { DomainError, type Json } from '#core';
import { EXIT, type ExitCode } from '../exit-codes.ts';

/** What the server answered instead of what was asked for. */
export interface RefusedRequest {
  readonly status: number;
  /** Method and path. */
  readonly request: string;
  readonly server: string;
}

/** An answer with a status ≥ 400 whose body is an ErrorBody: code, message and remedy are the server's. */
export class ApiError extends DomainError {
  constructor(
    body: { code: string; message: string; details: Readonly<Record<string, Json>>; remedy: string | null },
    readonly requestId: string,
    readonly refused: RefusedRequest,
  ) {
    super(body.code, body.message, body.details, body.remedy, refused.status === 503 ? 'outage' : 'refusal');
    this.name = 'ApiError';
  }

  get exitCode(): ExitCode {
    return exitCodeOfStatus(this.refused.status);
  }
}

/** What an HTTP status means for the one who called. */
export function exitCodeOfStatus(status: number): ExitCode {
  switch (status) {
    case 400:
    case 413:
    case 415:
    case 422:
      return EXIT.invalid;
    case 401:
    case 403:
      return EXIT.auth;
    case 404:
      return EXIT.notFound;
    case 409:
      return EXIT.conflict;
    case 502:
    case 503:
    case 504:
      return EXIT.unreachable;
    default:
      return EXIT.failed;
  }
}
