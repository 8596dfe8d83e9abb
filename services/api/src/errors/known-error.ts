import { HttpException } from '@nestjs/common';
import { DomainError } from '#core';
import { errorCode } from './error-code.ts';

/** Codes of what Nest and Fastify refuse before one of our handlers sees it. */
const OF_FRAMEWORK: Readonly<Record<number, readonly [code: string, message: string, remedy: string]>> = {
  400: ['api.body_malformed', 'The body cannot be read as what its content type says.', 'Send well-formed JSON, encoded as UTF-8.'],
  404: ['api.route_unknown', 'There is no such path.', 'GET /api/openapi.json lists all paths.'],
  405: ['api.route_unknown', 'There is no such path for this method.', 'GET /api/openapi.json lists all paths.'],
  413: ['api.body_too_large', 'The body is too large.', 'Send at most 2 MiB, 16 MiB to runs:batch; hand over larger data by reference.'],
  414: ['api.uri_too_long', 'The path is too long.', 'Shorten it.'],
  415: [
    'api.media_unsupported',
    'This content type is not understood.',
    'Send application/json; a definition may also be application/yaml.',
  ],
};

/** Turns whatever was thrown into an error with a code; undefined for what nobody expected: a bug. */
export function knownError(thrown: unknown): DomainError | undefined {
  if (thrown instanceof DomainError) return thrown;
  if (thrown instanceof HttpException) return frameworkError(thrown.getStatus());
  if (typeof thrown !== 'object' || thrown === null) return undefined;
  if ('statusCode' in thrown && typeof thrown.statusCode === 'number') return frameworkError(thrown.statusCode);
  const code = errorCode(thrown);
  const message = 'message' in thrown ? String(thrown.message) : '';
  if (code === '57014') return outage('database.timeout', 'The database did not answer in time.');
  if (isUnreachable(code) || UNREACHABLE_TEXTS.test(message)) return outage('database.unavailable', 'The database cannot be reached.');
  return undefined;
}

/** Network errors, and SQLSTATEs of a server that refuses or ends sessions: 08 connection, 28 and 3D login, 53 resources, 57P shutdown, 25006 read-only. */
function isUnreachable(code: string): boolean {
  return (
    /^(ECONN|EPIPE|ENOTFOUND|EAI_|ETIMEDOUT|EHOST|ENET)/.test(code) || /^(08...|28...|3D000|53...|55000|57P..|25006|25P03)$/.test(code)
  );
}

/** The driver's own errors come without a code. */
const UNREACHABLE_TEXTS =
  /timeout exceeded when trying to connect|Connection terminated|Client has encountered a connection error|timeout expired|not queryable/i;

function frameworkError(status: number): DomainError | undefined {
  const known = OF_FRAMEWORK[status];
  if (!known) return undefined;
  const [code, message, remedy] = known;
  return new DomainError(code, message, {}, remedy);
}

function outage(code: string, message: string): DomainError {
  return new DomainError(code, message, {}, 'Try again in a moment.', 'outage');
}
