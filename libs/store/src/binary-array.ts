/** Types whose arrays are sent in binary form, with their fixed numbers (PostgreSQL's `pg_type.dat`). */
const ELEMENT_OIDS = { bool: 16, int: 23, text: 25, real: 700, float8: 701, uuid: 2950 } as const;
export type ElementType = keyof typeof ELEMENT_OIDS;

const HEADER_BYTES = 20;
const LENGTH_BYTES = 4;
const INT_MIN = -(2 ** 31);
const INT_MAX = 2 ** 31 - 1;
const UUID_TEXT_LENGTH = 36;
const UUID_BYTES = 16;
const DASH = 0x2d;
/** Of all digits no two give this when their bits are joined. */
const NO_DIGIT = 255;
/** Value of a hexadecimal digit by its character code. */
const DIGITS = digits();

/** How the elements of one type are measured and written. `bytesOf` is null and `write` false for a value that has no such form. */
interface Encoder {
  bytesOf(value: unknown): number | null;
  write(target: Buffer, value: unknown, at: number): boolean;
}

const ENCODERS: Readonly<Record<ElementType, Encoder>> = {
  bool: {
    bytesOf: (value) => (typeof value === 'boolean' ? 1 : null),
    write: (target, value, at) => target.writeUInt8(value === true ? 1 : 0, at) > at,
  },
  int: {
    bytesOf: (value) => (Number.isInteger(value) && Number(value) >= INT_MIN && Number(value) <= INT_MAX ? 4 : null),
    write: (target, value, at) => target.writeInt32BE(Number(value), at) > at,
  },
  real: {
    bytesOf: (value) => (typeof value === 'number' ? 4 : null),
    write: (target, value, at) => target.writeFloatBE(Number(value), at) > at,
  },
  float8: {
    bytesOf: (value) => (typeof value === 'number' ? 8 : null),
    write: (target, value, at) => target.writeDoubleBE(Number(value), at) > at,
  },
  text: {
    bytesOf: (value) => (typeof value === 'string' ? Buffer.byteLength(value) : null),
    write: (target, value, at) => target.write(String(value), at) >= 0,
  },
  uuid: {
    bytesOf: (value) => (typeof value === 'string' && value.length === UUID_TEXT_LENGTH ? UUID_BYTES : null),
    write: (target, value, at) => writeUuid(target, String(value), at),
  },
};

/** The types of the parameters that a statement casts to arrays (`$2::uuid[]`), by the parameter's place from 0. */
export function arrayTypesOf(text: string): readonly (ElementType | undefined)[] {
  const types: (ElementType | undefined)[] = [];
  for (const [, place, type = ''] of text.matchAll(/\$(\d+)::(\w+)\[\]/g)) if (isElementType(type)) types[Number(place) - 1] = type;
  return types;
}

/**
 * An array in PostgreSQL's binary form (`array_send` in its `arrayfuncs.c`), which neither side has to parse. Null when an element has no such
 * form: the driver's text form then says the same, or has the server word the fault.
 */
export function binaryArray(values: readonly unknown[], type: ElementType): Buffer | null {
  const encoder = ENCODERS[type];
  let size = HEADER_BYTES;
  let hasNull = 0;
  const sizes: number[] = [];
  for (const value of values) {
    const bytes = value === null || value === undefined ? -1 : encoder.bytesOf(value);
    if (bytes === null) return null;
    if (bytes < 0) hasNull = 1;
    sizes.push(bytes);
    size += LENGTH_BYTES + Math.max(bytes, 0);
  }
  const target = Buffer.allocUnsafe(size);
  target.writeInt32BE(1, 0);
  target.writeInt32BE(hasNull, 4);
  target.writeInt32BE(ELEMENT_OIDS[type], 8);
  target.writeInt32BE(values.length, 12);
  target.writeInt32BE(1, 16);
  let at = HEADER_BYTES;
  for (const [place, bytes] of sizes.entries()) {
    target.writeInt32BE(bytes, at);
    at += LENGTH_BYTES;
    if (bytes < 0) continue;
    if (!encoder.write(target, values[place], at)) return null;
    at += bytes;
  }
  return target;
}

function isElementType(type: string): type is ElementType {
  return Object.hasOwn(ELEMENT_OIDS, type);
}

/** In `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`. */
function isDashPlace(place: number): boolean {
  return place === 8 || place === 13 || place === 18 || place === 23;
}

/** False: it is none. */
function writeUuid(target: Buffer, text: string, at: number): boolean {
  let written = at;
  for (let place = 0; place < UUID_TEXT_LENGTH; place += 2) {
    if (isDashPlace(place)) {
      if (text.charCodeAt(place) !== DASH) return false;
      place += 1;
    }
    const high = DIGITS[text.charCodeAt(place)] ?? NO_DIGIT;
    const low = DIGITS[text.charCodeAt(place + 1)] ?? NO_DIGIT;
    if ((high | low) === NO_DIGIT) return false;
    target[written] = (high << 4) | low;
    written += 1;
  }
  return true;
}

function digits(): Uint8Array {
  const table = new Uint8Array(128).fill(NO_DIGIT);
  for (let value = 0; value < 16; value += 1) {
    const digit = value.toString(16);
    table[digit.charCodeAt(0)] = value;
    table[digit.toUpperCase().charCodeAt(0)] = value;
  }
  return table;
}
