import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ErrorBody } from '#contracts';
import type { DomainError } from '#core';
import type { Logger } from '#telemetry';
import { statusOf } from './error-status.ts';
import { knownError } from './known-error.ts';

/** Seconds after which a refused caller may try again. */
const RETRY_AFTER_SECONDS = 1;

/** Answers every error as an ErrorBody. What nobody expected is logged whole and answered with nothing but the request's id. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const reply = http.getResponse<FastifyReply>();
    const { id: requestId } = http.getRequest<FastifyRequest>();
    const error = knownError(thrown);
    const status = error ? statusOf(error) : 500;
    if (status >= 500) this.log(status, thrown, requestId, error);
    // An event stream under way has sent its head: closing it is all that is left.
    if (reply.raw.headersSent) return void reply.raw.destroy();
    void reply
      .status(status)
      .headers(headersOf(status))
      .send(error && error.kind !== 'bug' ? bodyOf(error, requestId) : bugBody(requestId));
  }

  private log(status: number, thrown: unknown, requestId: string, error: DomainError | undefined): void {
    if (status === 503) this.logger.warn({ requestId, code: error?.code, err: thrown }, 'request refused for now');
    else this.logger.error({ requestId, code: error?.code, err: thrown }, 'request failed');
  }
}

export function bodyOf(error: DomainError, requestId: string): ErrorBody {
  const { code, message, details, remedy } = error;
  return { code, message, details, remedy, requestId };
}

function bugBody(requestId: string): ErrorBody {
  return {
    code: 'internal',
    message: 'Something went wrong on our side.',
    details: {},
    remedy: 'Look for the request id in the logs of the api.',
    requestId,
  };
}

function headersOf(status: number): Record<string, string> {
  const type = { 'content-type': 'application/json; charset=utf-8' };
  if (status === 401) return { ...type, 'www-authenticate': 'Bearer' };
  return status === 503 ? { ...type, 'retry-after': String(RETRY_AFTER_SECONDS) } : type;
}
