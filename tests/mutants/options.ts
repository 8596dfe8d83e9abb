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

const HELP = `npm run mutants [-- OPTIONS]

Plants each known bug in turn and runs the suites that may notice it, from cheap to dear, until one does.

  --only NAME        only this mutant; several by commas, or given several times
  --suites NAMES     only these suites, by commas (${SUITES.join(', ')})
  --all              every suite of a mutant, also behind the first that noticed it
  --list             names the mutants with the rules that they break
  --keep FILE        results so far: what stands there is not tried again, what is tried now is added
  --json             the results as JSON
  --markdown FILE    the table as a page
  --help             this text

Exit code: 0 when every mutant was noticed, 1 when one was not, 2 when the options are wrong.`;

/** Reads the command line; answers the help and wrong options itself. */
export function readOptions(args: readonly string[]): Options {
  if (args.includes('--help') || args.includes('-h')) {
    console.log(HELP);
    return process.exit(0);
  }
  try {
    return optionsOf(args);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    return process.exit(2);
  }
}

/** Throws with what is wrong: a name that nobody knows. */
function optionsOf(args: readonly string[]): Options {
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
