import type { Json } from './json.ts';

/** Who has to act: the caller (`refusal`, never retried), the surroundings (`outage`, retried with backoff), us (`bug`). */
export type ErrorKind = 'refusal' | 'outage' | 'bug';

/**
 * An error with a stable dotted code, a sentence for people and data for machines. Neither the sentence nor the data may hold a secret.
 * `remedy` says how to mend it; `docs/errors.md` lists every code.
 */
export class DomainError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly details: Readonly<Record<string, Json>> = {},
    readonly remedy: string | null = null,
    readonly kind: ErrorKind = 'refusal',
  ) {
    super(message);
    this.name = 'DomainError';
  }
}

/** An invariant that the types cannot express. Throws a `bug` when it does not hold. */
export function assertThat(condition: boolean, what: string, details: Readonly<Record<string, Json>> = {}): asserts condition {
  if (!condition) throw new DomainError('invariant.broken', `Invariant broken: ${what}`, details, null, 'bug');
}

/** Closes a `switch` over a union: the compiler complains when a member is missing. */
export function assertNever(value: never): never {
  throw new DomainError('invariant.broken', `Unexpected value ${JSON.stringify(value)}`, {}, null, 'bug');
}
