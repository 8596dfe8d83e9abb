/** A rule that a model holds decisions against. Throws with what was seen. */
export function check(holds: boolean, rule: string, seen: Readonly<Record<string, unknown>> = {}): asserts holds {
  if (!holds) throw new Error(`Not so: ${rule}. Seen: ${JSON.stringify(seen)}`);
}
