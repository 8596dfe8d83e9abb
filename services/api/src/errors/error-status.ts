import type { DomainError } from '#core';

/** HTTP status of every refusal that is not simply 400. docs/errors.md lists all codes. */
const STATUS_OF: Readonly<Record<string, number>> = {
  'api.body_too_large': 413,
  'api.media_unsupported': 415,
  'api.route_unknown': 404,
  'auth.token_missing': 401,
  'auth.token_invalid': 401,
  'auth.token_expired': 401,
  'auth.token_revoked': 401,
  'auth.forbidden': 403,
  'run.unknown': 404,
  'step.unknown': 404,
  'workflow.unknown': 404,
  'version.unknown': 404,
  'api_key.unknown': 404,
  'run.state_conflict': 409,
  'run.idempotency_mismatch': 409,
  'run.retry_under_way': 409,
  'workflow.disabled': 409,
  'workflow.name_taken': 409,
  'run.input_too_large': 413,
  'run.input_invalid': 422,
  'run.input_unstorable': 422,
  'run.concurrency_key_invalid': 422,
  'definition.invalid': 422,
  'deployment.none': 422,
};

/** Refusals are 4xx, outages 503 (ask again), bugs 500. */
export function statusOf(error: DomainError): number {
  if (error.kind === 'outage') return 503;
  if (error.kind === 'bug') return 500;
  return STATUS_OF[error.code] ?? 400;
}
