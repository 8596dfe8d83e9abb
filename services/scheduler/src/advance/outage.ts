import { DomainError } from '#core';

/**
 * SQLSTATE classes of a database that is away, busy or lost a race: connection, resources, operator, system, serialization and deadlock,
 * locks; and sessions that were ended because their transaction stood still.
 */
const OUTAGE_STATES = /^(08|53|57|58|40|55|25P03|25P04)/;
const NETWORK_CODES = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENOTFOUND', 'EAI_AGAIN', 'ENOENT']);

/** Whether trying again later may help: the database or network is at fault, not the rows. */
export function isOutage(error: unknown): boolean {
  if (error instanceof DomainError) return error.kind === 'outage';
  if (typeof error !== 'object' || error === null) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  // The driver's own errors of a session that broke carry no code.
  const message = code === '' && 'message' in error ? String(error.message) : '';
  return OUTAGE_STATES.test(code) || NETWORK_CODES.has(code) || /connection|client (was closed|has)|timeout|terminat/i.test(message);
}
