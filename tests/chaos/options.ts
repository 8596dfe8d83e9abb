import { parseArgs } from 'node:util';
import { DomainError } from '#core';

/** What a fault is called on the command line: by its row in the matrix or by its name. */
export interface FaultCard {
  readonly id: string;
  readonly name: string;
  readonly targets: string;
}

export interface ChaosOptions {
  readonly seed: number;
  readonly minutes: number;
  readonly faults: readonly FaultCard[];
  /** They were named on the command line. */
  readonly areNamed: boolean;
  /** Runs that are started in a second. */
  readonly rate: number;
  /** Where history, journal and report are written; made when it is missing. */
  readonly out: string | undefined;
  /** Keeps the folder of a run that held, too. */
  readonly keep: boolean;
  /** Prints the report as one JSON object, and nothing else on stdout. */
  readonly json: boolean;
  /** Short pauses between the faults. */
  readonly quick: boolean;
  /** Times are told and not judged: others use the machine, too. */
  readonly busy: boolean;
}

export type Command =
  | { readonly kind: 'help' | 'list' | 'matrix' | 'regressions' }
  | { readonly kind: 'ci'; readonly minutes: number }
  | { readonly kind: 'schedule' | 'run'; readonly options: ChaosOptions };

export const USAGE = `npm run chaos -- [options]

Runs FlowForge as real processes over a PostgreSQL and a Redis of its own, breaks them by a seeded schedule while runs are under way,
and judges afterwards whether anything was lost, doubled, illegal or unaudited. Exit code 0 only when all of it holds.

  --seed N            replays the schedule and the workload of this seed (default: a fresh one, printed)
  --minutes M         how long faults and runs go on, decimals allowed (default 2)
  --faults a,b        only these, by name (redis-flushall), by the beginning of names (redis-kill) or by row of the matrix (F08);
                      "none" for no faults (default: all)
  --rate R            runs started in a second (default 10)
  --out FOLDER        where history.jsonl, journal.jsonl, report.json, report.md and picture.svg are written
                      (default: data/chaos/<seed>-<time>)
  --keep              keeps history, journal and logs of a run that held, too
  --quick             short pauses between the faults
  --busy              the machine is shared: how long recoveries took is told, and not judged
  --json              prints report.json instead of the table
  --schedule          prints the schedule of the seed, and runs nothing
  --list              lists the faults
  --matrix            prints docs/proof/faults.md: each row of the fault matrix, what shows it, and what is left out
  --ci                two fixed seeds and a fresh one, 5 minutes at most in all
  --regressions       the seeds of tests/chaos/regressions.json, which once failed
  --help              this text
`;

const options = {
  seed: { type: 'string' },
  minutes: { type: 'string' },
  faults: { type: 'string', multiple: true },
  rate: { type: 'string', default: '10' },
  out: { type: 'string' },
  keep: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  quick: { type: 'boolean', default: false },
  busy: { type: 'boolean', default: false },
  schedule: { type: 'boolean', default: false },
  list: { type: 'boolean', default: false },
  matrix: { type: 'boolean', default: false },
  ci: { type: 'boolean', default: false },
  regressions: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

export const SEED_MAX = 2_147_483_647;
const minutesDefault = 2;
const ciMinutesDefault = 0.75;

/** Reads the command line. Throws `chaos.option_invalid`, whose message names the option. `usual`: the faults when none is named; `freshSeed`: the seed. */
export function readCommand(
  args: readonly string[],
  catalog: readonly FaultCard[],
  usual: readonly FaultCard[],
  freshSeed: () => number,
): Command {
  const values = parsed(args);
  if (values.help) return { kind: 'help' };
  if (values.list) return { kind: 'list' };
  if (values.matrix) return { kind: 'matrix' };
  if (values.regressions) return { kind: 'regressions' };
  if (values.ci) return { kind: 'ci', minutes: numberOf('minutes', values.minutes ?? String(ciMinutesDefault), 0.1, 1) };
  return {
    kind: values.schedule ? 'schedule' : 'run',
    options: {
      seed: values.seed === undefined ? freshSeed() : wholeNumberOf('seed', values.seed, 0, SEED_MAX),
      minutes: numberOf('minutes', values.minutes ?? String(minutesDefault), 0.1, 24 * 60),
      faults: values.faults ? faultsOf(values.faults, catalog) : usual,
      areNamed: values.faults !== undefined,
      rate: numberOf('rate', values.rate, 0.1, 200),
      out: values.out,
      keep: values.keep,
      json: values.json,
      quick: values.quick,
      busy: values.busy,
    },
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: false }).values;
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : String(error));
  }
}

function numberOf(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= least && value <= most) return value;
  throw invalid(`--${option} must be a number from ${least} to ${most}, not "${text}".`);
}

function wholeNumberOf(option: string, text: string, least: number, most: number): number {
  const value = numberOf(option, text, least, most);
  if (Number.isInteger(value)) return value;
  throw invalid(`--${option} must be a whole number, not "${text}".`);
}

function faultsOf(given: readonly string[], catalog: readonly FaultCard[]): readonly FaultCard[] {
  const words = given.flatMap((list) => list.split(',')).map((word) => word.trim().toLowerCase());
  if (words.length === 1 && words[0] === 'none') return [];
  const chosen = new Set(words.flatMap((word) => cardsOf(word, catalog)));
  return catalog.filter((card) => chosen.has(card));
}

function cardsOf(word: string, catalog: readonly FaultCard[]): readonly FaultCard[] {
  const found = catalog.filter(({ id, name }) => name === word || name.startsWith(`${word}-`) || id.toLowerCase() === word);
  if (found.length > 0) return found;
  throw invalid(`--faults: there is no fault "${word}". --list shows all; "none" stands for none.`);
}

function invalid(message: string): DomainError {
  return new DomainError('chaos.option_invalid', message, {}, 'npm run chaos -- --help lists the options.');
}
