import { createHash } from 'node:crypto';
import type { Json } from '#core';

/** JSON with sorted keys and without spaces: equal values give equal texts. Recursive: for values of bounded depth. */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`;
}

/** SHA-256 of the canonical JSON, hexadecimal. */
export function checksumOf(value: Json): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}
