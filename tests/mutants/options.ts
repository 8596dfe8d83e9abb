import { parseArgs } from 'node:util';
import { mutants, type Mutant } from './mutants.mjs';

/** From cheap to dear: the order in which they are tried. */
export const SUITES = ['unit', 'sim', 'scope', 'integration', 'e2e'] as const;
export type SuiteName = (typeof SUITES)[number];

export interface Options {
  readonly mutants: readonly Mutant[];
  readonly suites: readonly SuiteName[];
  /** Every suite of a mutant, also behind the first that noticed it. */
  readonly all: boolean;
  /** Print the results as JSON instead of a table. */
  readonly json: boolean;
  /** A file that gets the table. */
  readonly markdown: string | undefined;
  /** A file of what was tried before, which is not tried again; what is tried now is added. */
  readonly keep: string | undefined;
  readonly list: boolean;
}

/** Throws with what is wrong: a name that nobody knows. */
export function optionsOf(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', multiple: true, default: [] },
      suites: { type: 'string', default: SUITES.join(',') },
      all: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      markdown: { type: 'string' },
      keep: { type: 'string' },
      list: { type: 'boolean', default: false },
    },
  });
  const names = values.only.flatMap((text) => text.split(','));
  const { all, json, markdown, keep, list } = values;
  return {
    mutants: names.length > 0 ? names.map(mutantOf) : mutants,
    suites: values.suites.split(',').map(suiteOf),
    all,
    json,
    markdown,
    keep,
    list,
  };
}

function mutantOf(name: string): Mutant {
  const mutant = mutants.find((one) => one.name === name);
  if (!mutant) throw new Error(`There is no mutant ${name}: \`npm run mutants -- --list\` names them.`);
  return mutant;
}

function suiteOf(name: string): SuiteName {
  const suite = SUITES.find((one) => one === name);
  if (!suite) throw new Error(`There is no suite ${name}. Known: ${SUITES.join(', ')}.`);
  return suite;
}
