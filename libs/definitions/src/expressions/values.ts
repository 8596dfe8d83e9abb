import { celList, celMap, isCelList, isCelMap, isCelType, isCelUint, type CelInput, type CelMap, type CelValue } from '@bufbuild/cel';
import type { Json } from '#core';
import { ExpressionError } from './expression-fault.ts';

/**
 * JSON as CEL sees it. A JSON number is always a `double`: its type must not change with the data (10 against 10.5); the mixed
 * operators of `functions.ts` let it meet integer literals. The library's own reading of plain objects is not used, because it
 * takes members named `constructor` or `$typeName` for more than data.
 */
export function celOfJson(value: Json): CelInput {
  if (value === null || typeof value !== 'object') return value;
  if (isJsonList(value)) return celList(value.map(celOfJson));
  return celMap(new JsonMembers(value));
}

/** The members of a JSON object, converted when they are looked at. Only own members count. */
class JsonMembers implements ReadonlyMap<string, CelInput> {
  private readonly source: { readonly [key: string]: Json };
  private readonly seen = new Map<string, CelInput>();

  constructor(source: { readonly [key: string]: Json }) {
    this.source = source;
  }

  get size(): number {
    return Object.keys(this.source).length;
  }

  get(key: string): CelInput | undefined {
    const seen = this.seen.get(key);
    if (seen !== undefined) return seen;
    if (typeof key !== 'string' || !Object.hasOwn(this.source, key)) return undefined;
    const value = this.source[key];
    if (value === undefined) return undefined;
    const converted = celOfJson(value);
    this.seen.set(key, converted);
    return converted;
  }

  has(key: string): boolean {
    return typeof key === 'string' && Object.hasOwn(this.source, key);
  }

  forEach(visit: (value: CelInput, key: string, map: ReadonlyMap<string, CelInput>) => void): void {
    for (const [key, value] of this.entries()) visit(value, key, this);
  }

  keys(): MapIterator<string> {
    return Object.keys(this.source)[Symbol.iterator]();
  }

  *entries(): Generator<[string, CelInput], undefined> {
    for (const key of Object.keys(this.source)) {
      const value = this.get(key);
      if (value !== undefined) yield [key, value];
    }
  }

  *values(): Generator<CelInput, undefined> {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator](): Generator<[string, CelInput], undefined> {
    return this.entries();
  }
}

/** Half of a surrogate pair: PostgreSQL's jsonb refuses it, as it does \u0000. */
export const LONE_SURROGATE = /\p{Surrogate}/u;

/** What is left of the room for one result: bytes of its JSON, and levels of nesting. */
export interface Room {
  bytesLeft: number;
  readonly bytesMax: number;
  readonly depthMax: number;
}

export function roomOf(limits: { readonly outputBytesMax: number; readonly depthMax: number }): Room {
  return { bytesLeft: limits.outputBytesMax, bytesMax: limits.outputBytesMax, depthMax: limits.depthMax };
}

/**
 * A CEL value as JSON. Integers must be exact in a JSON number, numbers finite, texts storable; bytes become base64, timestamps
 * and durations their text, keys of maps text.
 */
export function jsonOfCel(value: CelValue, room: Room, textOf: (value: CelValue) => string, depth = 0): Json {
  if (depth > room.depthMax) throw new ExpressionError('expression.too_deep', `The result is nested deeper than ${room.depthMax} levels.`);
  if (value === null || typeof value === 'boolean') return spend(room, 5, value);
  if (typeof value === 'string') return spendText(room, value);
  if (typeof value === 'number') return spend(room, 8, finite(value));
  if (typeof value === 'bigint') return spend(room, 8, safeInteger(value));
  if (value instanceof Uint8Array) return spendText(room, Buffer.from(value).toString('base64'));
  if (isCelUint(value)) return spend(room, 8, safeInteger(value.value));
  if (isCelList(value)) {
    const items: Json[] = [];
    for (const item of value) items.push(jsonOfCel(item, spend(room, 1, room), textOf, depth + 1));
    return items;
  }
  if (isCelMap(value)) return membersOf(value, room, textOf, depth);
  if (isCelType(value)) throw new ExpressionError('expression.not_json', `The result is the type ${value.name}, which is no JSON value.`);
  return spendText(room, textOf(value));
}

/** Counts a literal part of an input against the room. */
export function spendText(room: Room, text: string): string {
  if (text.length > room.bytesLeft) throw tooLarge(room);
  if (text.includes('\u0000'))
    throw new ExpressionError('expression.text_invalid', 'The result holds the character \\u0000, which cannot be stored.');
  if (LONE_SURROGATE.test(text))
    throw new ExpressionError('expression.text_invalid', 'The result holds half of a surrogate pair, which cannot be stored.');
  return spend(room, jsonBytesOf(text), text);
}

/** What JSON.stringify writes behind a backslash: a control character takes six times its room. */
const ESCAPED = /[\p{Cc}"\\]/u;

function jsonBytesOf(text: string): number {
  return ESCAPED.test(text) ? Buffer.byteLength(JSON.stringify(text)) : Buffer.byteLength(text) + 2;
}

export function spend<T>(room: Room, bytes: number, value: T): T {
  room.bytesLeft -= bytes;
  if (room.bytesLeft < 0) throw tooLarge(room);
  return value;
}

function membersOf(map: CelMap, room: Room, textOf: (value: CelValue) => string, depth: number): Json {
  const members = new Map<string, Json>();
  for (const [key, value] of map) {
    const name = spendText(room, isCelUint(key) ? String(key.value) : String(key));
    if (name === '__proto__') throw new ExpressionError('expression.text_invalid', 'The result has a member named __proto__.');
    members.set(name, jsonOfCel(value, room, textOf, depth + 1));
  }
  return Object.fromEntries(members);
}

function finite(value: number): number {
  if (!Number.isFinite(value))
    throw new ExpressionError('expression.number_invalid', `The result holds ${value}, which is no JSON number.`);
  return value === 0 ? 0 : value;
}

function safeInteger(value: bigint): number {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw new ExpressionError(
    'expression.number_unsafe',
    `The result holds ${value}, which a JSON number cannot hold exactly. Make it a text with string(…).`,
  );
}

function tooLarge(room: Room): ExpressionError {
  return new ExpressionError('expression.too_large', `The result is larger than ${room.bytesMax} bytes.`);
}

/** Narrows to a list; `Array.isArray` alone does not narrow readonly ones. */
export function isJsonList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
