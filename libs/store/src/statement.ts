import { readFileSync } from 'node:fs';

/** A statement of the hot path: prepared once per connection under its name. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** Reads `queries/<name>.sql`, the comments left out. */
export function statement(name: string): Statement {
  const file = readFileSync(new URL(`./queries/${name}.sql`, import.meta.url), 'utf8');
  const text = file
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('--'))
    .join('\n')
    .trim();
  return { name, text };
}
