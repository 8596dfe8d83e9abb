import type { LedgerEntry } from './evidence.ts';

/** The idempotency keys under which the outside world booked more than one effect. */
export function doubledEffects(ledger: readonly LedgerEntry[]): LedgerEntry[] {
  const counts = new Map<string, number>();
  for (const { idempotencyKey, count } of ledger) counts.set(idempotencyKey, (counts.get(idempotencyKey) ?? 0) + count);
  return [...counts].filter(([, count]) => count > 1).map(([idempotencyKey, count]) => ({ idempotencyKey, count }));
}
