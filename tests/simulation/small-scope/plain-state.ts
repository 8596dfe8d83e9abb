import type { Database } from '../database/database.ts';

/** An age above this is only: old. */
const AGE_MAX_MS = 3_000;
/** Columns of rows that chance or the clock alone has chosen, or that nothing depends on. */
const VOID_COLUMNS: ReadonlySet<string> = new Set(['causeId', 'actor', 'createdAt', 'endedAt', 'queuedAt']);
/** Columns that are moments: only their age counts. */
const AGED_COLUMNS: ReadonlySet<string> = new Set(['changedAt', 'dueAt', 'expiresAt']);

/** How old a moment is at another, both in milliseconds; beyond the bound only: old. */
export function ageOf(at: number, now: number): number {
  return Math.max(-AGE_MAX_MS, Math.min(AGE_MAX_MS, now - at));
}

/** The rows of a database without what only chance or the clock has chosen. */
export function plainRows({ tables }: ReturnType<Database['backup']>, now: number): unknown[] {
  return tables.map((table) => [...table.values()].map((row) => plainRow(row, now)));
}

function plainRow(row: unknown, now: number): unknown {
  if (typeof row !== 'object' || row === null) return row;
  const plain: Record<string, unknown> = {};
  for (const [column, value] of Object.entries(row)) {
    if (VOID_COLUMNS.has(column)) continue;
    plain[column] = AGED_COLUMNS.has(column) ? ageOf(Number(value), now) : value;
  }
  return plain;
}

/** A message without what only chance has chosen. */
export function plainBody(body: string): unknown {
  const told = JSON.parse(body) as Record<string, unknown> | Record<string, unknown>[];
  return [told].flat().map(({ id: _id, idempotencyKey: _idempotencyKey, ...rest }) => rest);
}

/** What a scheduler's sweep has noted down in itself: which steps it has not seen held, and for how long. */
export function suspicionsOf(sweeps: object, elapsedMs: number): unknown {
  const suspects: unknown = Reflect.get(sweeps, 'suspects');
  const entries = suspects instanceof Map ? [...suspects.entries()] : [];
  return entries.map(([key, since]) => [key, Math.min(AGE_MAX_MS, elapsedMs - Number(since))]);
}
