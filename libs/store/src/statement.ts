import { readFileSync } from 'node:fs';
import { type ElementType, arrayTypesOf } from './binary-array.ts';

/** A statement of the hot path: prepared once per connection under its name. */
export interface Statement {
  readonly name: string;
  readonly text: string;
  /** Element types of the parameters that may be sent as binary arrays, by their place from 0. */
  readonly arrays?: readonly (ElementType | undefined)[];
}

/**
 * Reads `queries/<name>.sql`, the comments left out. Rows that are looked up by keys from the parameters are compared as `x.key = any (array[m.key])`: a plan
 * that was made while the table was empty must not read all of it when it has grown (docs/adr/0015).
 */
export function statement(name: string): Statement {
  const file = readFileSync(new URL(`./queries/${name}.sql`, import.meta.url), 'utf8');
  const text = file
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('--'))
    .join('\n')
    .trim();
  return { name, text, arrays: arrayTypesOf(text) };
}
