import {
  CelScalar,
  celFunc,
  celList,
  celMethod,
  listType,
  mapType,
  type CelFunc,
  type CelInput,
  type CelList,
  type CelValue,
} from '@bufbuild/cel';
import type { Json } from '#core';
import { EVALUATION_LIMITS } from '../limits.ts';
import { ExpressionError } from './expression-fault.ts';
import { celOfJson, jsonOfCel, roomOf } from './values.ts';

const { BOOL, DOUBLE, DYN, INT, STRING } = CelScalar;
const LIST = listType(DYN);
const MAP = mapType(DYN, DYN);

/** Names that only the rewriting of macros uses. Users cannot write them: `@` starts no identifier. */
export const NEW_LIST = '@list';
export const APPEND = '@append';

/** How much of its operands a function reads: a share of it (absent here), all of it, or more than that. */
export const LINEAR_FUNCTIONS: ReadonlySet<string> = new Set([
  '_==_',
  '_!=_',
  '_<_',
  '_<=_',
  '_>_',
  '_>=_',
  '_+_',
  '@in',
  'size',
  'string',
  'bytes',
  'startsWith',
  'endsWith',
  'charAt',
  'lowerAscii',
  'upperAscii',
  'substring',
  'trim',
  'join',
  'text',
  'json',
  'toJson',
  'sum',
  'min',
  'max',
  'timestamp',
  'duration',
  'int',
  'double',
  'bool',
]);
/** Functions whose time grows with text × needle: evaluated inline only for a short literal needle. */
export const SEARCH_FUNCTIONS: ReadonlySet<string> = new Set(['contains', 'indexOf', 'lastIndexOf', 'replace', 'split']);
/** Linear too, but with so large a factor that a thread does it. */
export const HEAVY_FUNCTIONS: ReadonlySet<string> = new Set(['matches']);

/** FlowForge's additions to CEL's standard functions. None sees a clock, randomness or a host object: a retry evaluates again. */
export function flowforgeFunctions(textOfMessage: (value: CelValue) => string): CelFunc[] {
  const jsonOf = (value: CelValue): Json => jsonOfCel(value, roomOf(EVALUATION_LIMITS), textOfMessage);
  return [
    ...mixedArithmetic(),
    ...textMethods(),
    ...listFunctions(),
    celFunc('json', [STRING], DYN, (text) => celOfJson(parseJson(text))),
    celFunc('toJson', [DYN], STRING, (value: CelValue) => JSON.stringify(jsonOf(value))),
    celFunc('text', [DYN], STRING, (value: CelValue) => (typeof value === 'string' ? value : JSON.stringify(jsonOf(value)))),
    // The library counts milliseconds here, CEL seconds.
    celFunc('timestamp', [INT], DYN, (seconds) => timestampOf(Number(seconds))),
    celFunc('timestamp', [DOUBLE], DYN, timestampOf),
    // The library does not find members whose value is null.
    celFunc('@in', [STRING, MAP], BOOL, (key, map) => map.get(key) !== undefined),
  ];
}

function timestampOf(seconds: number): CelInput {
  if (!Number.isFinite(seconds) || Math.abs(seconds) > 8.64e12)
    throw new ExpressionError('expression.failed', 'The timestamp is out of range.');
  return {
    $typeName: 'google.protobuf.Timestamp',
    seconds: BigInt(Math.floor(seconds)),
    nanos: Math.round((seconds - Math.floor(seconds)) * 1e9),
  };
}

/** A JSON number is a double: `input.count + 1` must not fail because `1` is an int. An int meeting a double becomes one. */
function mixedArithmetic(): CelFunc[] {
  const operators: [string, (left: number, right: number) => number][] = [
    ['_+_', (left, right) => left + right],
    ['_-_', (left, right) => left - right],
    ['_*_', (left, right) => left * right],
    ['_/_', (left, right) => left / right],
    ['_%_', (left, right) => left % right],
  ];
  const mixed = operators.flatMap(([name, apply]) => [
    celFunc(name, [INT, DOUBLE], DOUBLE, (left, right) => apply(Number(left), right)),
    celFunc(name, [DOUBLE, INT], DOUBLE, (left, right) => apply(left, Number(right))),
  ]);
  return [...mixed, celFunc('_%_', [DOUBLE, DOUBLE], DOUBLE, (left, right) => left % right)];
}

function listFunctions(): CelFunc[] {
  return [
    // A macro's list grows in place: the library chains pairs of lists, which overflows the stack from some thousand items on.
    celFunc(NEW_LIST, [], LIST, () => growingList()),
    celFunc(APPEND, [LIST, LIST], LIST, append),
    celFunc('_+_', [LIST, LIST], LIST, (left, right) => celList([...left, ...right])),
    celFunc('sum', [LIST], DOUBLE, (list) => numbersOf('sum', list).reduce((total, value) => total + value, 0)),
    celFunc('min', [LIST], DOUBLE, (list) => extreme('min', list, (left, right) => right < left)),
    celFunc('max', [LIST], DOUBLE, (list) => extreme('max', list, (left, right) => right > left)),
    celMethod('join', LIST, [], STRING, function () {
      return bounded(textsOf(this).join(''));
    }),
    celMethod('join', LIST, [STRING], STRING, function (separator) {
      return bounded(textsOf(this).join(separator));
    }),
  ];
}

const growing = new WeakMap<CelList, CelInput[]>();

function growingList(): CelList {
  const items: CelInput[] = [];
  const list = celList(items);
  growing.set(list, items);
  return list;
}

function append(list: CelList, added: CelList): CelList {
  const items = growing.get(list);
  if (items === undefined) throw new ExpressionError('expression.failed', 'A macro lost its list.');
  for (const value of added) items.push(value);
  return list;
}

function numbersOf(name: string, list: CelList): number[] {
  return Array.from(list, (value) => {
    if (typeof value === 'number') return value;
    if (typeof value === 'bigint') return Number(value);
    throw new ExpressionError('expression.failed', `${name}() takes a list of numbers.`);
  });
}

function extreme(name: string, list: CelList, better: (left: number, right: number) => boolean): number {
  const [first, ...rest] = numbersOf(name, list);
  if (first === undefined) throw new ExpressionError('expression.failed', `${name}() of an empty list.`);
  return rest.reduce((best, value) => (better(best, value) ? value : best), first);
}

function textsOf(list: CelList): string[] {
  return Array.from(list, (value) => {
    if (typeof value === 'string') return value;
    if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value);
    throw new ExpressionError('expression.failed', 'join() takes a list of texts, numbers and booleans.');
  });
}

/** CEL's extension for strings, with JSON numbers as positions and results that are bounded before they are made. */
function textMethods(): CelFunc[] {
  const positions = [INT, DOUBLE] as const;
  const one = positions.flatMap((type) => [
    celMethod('charAt', STRING, [type], STRING, function (at: bigint | number) {
      return this.charAt(position(at, this.length));
    }),
    celMethod('substring', STRING, [type], STRING, function (from: bigint | number) {
      return this.slice(position(from, this.length));
    }),
    celMethod('split', STRING, [STRING, type], LIST, function (separator: string, count: bigint | number) {
      return celList(this.split(separator, position(count, Number.MAX_SAFE_INTEGER)));
    }),
  ]);
  const two = positions.flatMap((first) =>
    positions.map((second) =>
      celMethod('substring', STRING, [first, second], STRING, function (from: bigint | number, to: bigint | number) {
        return this.slice(position(from, this.length), position(to, this.length));
      }),
    ),
  );
  return [
    ...one,
    ...two,
    celMethod('indexOf', STRING, [STRING], INT, function (needle) {
      return BigInt(this.indexOf(needle));
    }),
    celMethod('lastIndexOf', STRING, [STRING], INT, function (needle) {
      return BigInt(this.lastIndexOf(needle));
    }),
    celMethod('lowerAscii', STRING, [], STRING, function () {
      return this.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
    }),
    celMethod('upperAscii', STRING, [], STRING, function () {
      return this.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
    }),
    celMethod('trim', STRING, [], STRING, function () {
      return this.trim();
    }),
    celMethod('split', STRING, [STRING], LIST, function (separator) {
      return celList(this.split(separator));
    }),
    celMethod('replace', STRING, [STRING, STRING], STRING, function (needle, by) {
      return replaceAll(this.valueOf(), needle, by);
    }),
  ];
}

function position(value: bigint | number, max: number): number {
  const at = Number(value);
  if (Number.isInteger(at) && at >= 0 && at <= max) return at;
  throw new ExpressionError('expression.failed', `${value} is no position from 0 to ${max}.`);
}

function replaceAll(text: string, needle: string, by: string): string {
  const pieces = text.split(needle);
  if (text.length + pieces.length * by.length > 4 * EVALUATION_LIMITS.outputBytesMax + text.length) throw textTooLarge();
  return pieces.join(by);
}

function bounded(text: string): string {
  if (text.length > 16 * EVALUATION_LIMITS.outputBytesMax) throw textTooLarge();
  return text;
}

function textTooLarge(): ExpressionError {
  return new ExpressionError('expression.too_large', 'A text became too large.');
}

function parseJson(text: string): Json {
  try {
    const value: Json = JSON.parse(text);
    return value;
  } catch {
    throw new ExpressionError('expression.failed', 'json() got a text that is not JSON.');
  }
}
