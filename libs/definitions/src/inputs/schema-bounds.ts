import type { Json } from '#core';
import { patternWeight } from '../expressions/patterns.ts';
import { isJsonList } from '../expressions/values.ts';
import { INPUT_SCHEMA_LIMITS } from '../limits.ts';

/** What is wrong with a schema, and where in it. */
export interface SchemaFault {
  readonly message: string;
  readonly path: readonly (string | number)[];
}

const FORBIDDEN = new Set([
  '$id',
  '$anchor',
  '$dynamicRef',
  '$dynamicAnchor',
  '$recursiveRef',
  '$recursiveAnchor',
  '$vocabulary',
  '$schema',
]);
const DRAFT = 'https://json-schema.org/draft/2020-12/schema';

/**
 * What makes a schema unsafe to check with: its size, its depth, references that leave it or lead back to themselves, and more than
 * `nodesMax` nodes once the references are written out (ten levels of `allOf` with the same reference twice make a thousand checks).
 */
export function schemaBoundFaults(schema: { readonly [key: string]: Json }): readonly SchemaFault[] {
  const { bytesMax, depthMax, nodesMax, patternWeightMax } = INPUT_SCHEMA_LIMITS;
  const bytes = Buffer.byteLength(JSON.stringify(schema));
  if (bytes > bytesMax) return [{ message: `it has ${bytes} bytes; ${bytesMax} are allowed.`, path: [] }];
  const faults: SchemaFault[] = [];
  let weight = 0;
  const open: { value: Json; path: readonly (string | number)[] }[] = [{ value: schema, path: [] }];
  for (let next = open.pop(); next !== undefined && faults.length < 20; next = open.pop()) {
    const { value, path } = next;
    if (value === null || typeof value !== 'object') continue;
    if (path.length > depthMax) return [{ message: `it is nested deeper than ${depthMax} levels.`, path: path.slice(0, 8) }];
    const entries: [string | number, Json][] = isJsonList(value) ? [...value.entries()] : Object.entries(value);
    for (const [key, inner] of entries) {
      const fault = faultOf(key, inner);
      if (fault !== null) faults.push({ message: fault, path: [...path, key] });
      open.push({ value: inner, path: [...path, key] });
      weight += weightOf(key, inner);
    }
  }
  if (faults.length > 0) return faults;
  if (weight > patternWeightMax) return [{ message: 'its patterns are too large together.', path: [] }];
  const nodes = new Expansion(schema).nodes;
  if (nodes === null) return [{ message: 'a $ref leads back to itself, or to nothing.', path: [] }];
  return nodes > nodesMax ? [{ message: `it has more than ${nodesMax} nodes with its references written out.`, path: [] }] : [];
}

/** Keywords are refused wherever they stand as texts: in data (`const`, `examples`) they would be a rare and harmless loss. */
function faultOf(key: string | number, value: Json): string | null {
  if (typeof value !== 'string' || typeof key === 'number') return null;
  if (key === '$ref' && value !== '#' && !value.startsWith('#/'))
    return `$ref ${value.slice(0, 100)} leaves the schema; only #/… is allowed.`;
  if (key === '$schema' && value.replace(/#$/, '') === DRAFT) return null;
  if (FORBIDDEN.has(key)) return `${key} is not allowed.`;
  return null;
}

/** Of `pattern` and `patternProperties`. */
function weightOf(key: string | number, value: Json): number {
  if (key === 'pattern' && typeof value === 'string') return patternWeight(value);
  if (key !== 'patternProperties' || value === null || typeof value !== 'object') return 0;
  return Object.keys(value).reduce((sum, pattern) => sum + patternWeight(pattern), 0);
}

/** Counts nodes with references written out. Depth is bounded before, so it may recurse. */
class Expansion {
  /** Null: a reference leads to itself or nowhere. */
  readonly nodes: number | null;
  private readonly root: { readonly [key: string]: Json };
  private readonly known = new Map<string, number>();
  private readonly open = new Set<string>(['#']);

  constructor(root: { readonly [key: string]: Json }) {
    this.root = root;
    this.nodes = this.count(root);
  }

  private count(value: Json): number | null {
    if (value === null || typeof value !== 'object') return 1;
    let total = 1;
    const children: readonly Json[] = isJsonList(value) ? value : Object.values(value);
    for (const child of children) {
      const nodes = this.count(child);
      if (nodes === null) return null;
      total += nodes;
    }
    const reference = isJsonList(value) ? undefined : Object.entries(value).find(([key]) => key === '$ref')?.[1];
    if (typeof reference !== 'string') return total;
    const referred = this.countAt(reference);
    return referred === null ? null : total + referred;
  }

  private countAt(pointer: string): number | null {
    const known = this.known.get(pointer);
    if (known !== undefined) return known;
    const target = this.target(pointer);
    if (this.open.has(pointer) || target === undefined) return null;
    this.open.add(pointer);
    const nodes = this.count(target);
    this.open.delete(pointer);
    if (nodes !== null) this.known.set(pointer, nodes);
    return nodes;
  }

  private target(pointer: string): Json | undefined {
    let value: Json | undefined = this.root;
    for (const part of pointer.split('/').slice(1)) {
      const key = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
      if (value === undefined || value === null || typeof value !== 'object' || !Object.hasOwn(value, key)) return undefined;
      value = isJsonList(value) ? value[Number(key)] : Object.entries(value).find(([name]) => name === key)?.[1];
    }
    return value;
  }
}
