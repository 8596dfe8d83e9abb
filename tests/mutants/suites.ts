import { fromSources } from '../../tools/lib/project.mjs';
import type { Mutant, MutantSuites } from './mutants.mjs';
import type { SuiteName } from './options.ts';

/** Seeds of the simulation that every mutant gets. */
const SEEDS: readonly [number, number] = [1, 120];
/** States of each small scope. */
const SCOPE_STATES = 2_000;

/** How a part of a suite is run: arguments of Node, and the line in which it tells its first failure. */
export interface SuiteRun {
  readonly args: readonly string[];
  readonly failure: RegExp;
  /** Beyond, it counts as hung: many times of what it takes. */
  readonly secondsMax: number;
}

/** The runs of a suite that may notice this mutant; empty: none can. */
export function runsOf(suite: SuiteName, { suites }: Pick<Mutant, 'suites'>): SuiteRun[] {
  switch (suite) {
    case 'sim':
      return suites.sim ? [simulation(suites.sim === true ? SEEDS : suites.sim)] : [];
    case 'scope':
      return suites.scope ? [scopes] : [];
    default:
      return suites[suite] ? [jest(suite, suites[suite])] : [];
  }
}

/** What has to pass without a mutant, before a failure with one means anything: all parts that these mutants name, each once. */
export function baselineOf(suite: SuiteName, mutants: readonly Mutant[]): SuiteRun[] {
  const named = mutants.map(({ suites }) => suites);
  if (suite === 'scope') return named.some(({ scope }) => scope) ? [scopes] : [];
  if (suite !== 'sim') {
    const files = [...new Set(named.flatMap((suites) => suites[suite] ?? []))];
    return files.length > 0 ? [{ ...jest(suite, files, []), secondsMax: 600 }] : [];
  }
  const seeds = new Map(named.flatMap(({ sim }) => (sim ? [seedsOf(sim)] : [])).map((range) => [range.join(), range]));
  return [...seeds.values()].map(simulation);
}

function seedsOf(sim: NonNullable<MutantSuites['sim']>): readonly [number, number] {
  return sim === true ? SEEDS : sim;
}

function simulation([first, count]: readonly [number, number]): SuiteRun {
  const seeds = ['--start', String(first), '--seeds', String(count)];
  return { args: [...fromSources, 'tests/simulation/simulate.ts', ...seeds], failure: /^seed \d+: .+$/m, secondsMax: 120 };
}

const scopes: SuiteRun = {
  args: [...fromSources, 'tests/simulation/simulate.ts', '--exhaustive', '--states', String(SCOPE_STATES)],
  failure: /^ {2}broken: .+$/m,
  secondsMax: 120,
};

/** In one process, unless told: a single file needs no second one. */
function jest(suite: SuiteName, files: readonly string[], how: readonly string[] = ['--runInBand']): SuiteRun {
  const args = [
    'tools/jest.mjs',
    '--selectProjects',
    suite,
    ...how,
    '--reporters=<rootDir>/tests/mutants/first-failure.mjs',
    '--',
    ...files,
  ];
  return { args, failure: /^FAILED .+$/m, secondsMax: 180 };
}
