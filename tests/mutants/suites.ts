import { fromSources } from '../../tools/lib/project.mjs';
import type { Mutant } from './mutants.mjs';
import type { SuiteName } from './options.ts';

/** Seeds of the simulation that every mutant gets. */
const SEEDS: readonly [number, number] = [1, 120];
/** States of each small scope. */
const SCOPE_STATES = 2_000;

/** How the part of a suite is run that lies near a mutant: arguments of Node, and the line in which it tells its first failure. */
export interface SuiteRun {
  readonly args: readonly string[];
  readonly failure: RegExp;
  /** Beyond, on a machine that has nothing else to do, it counts as hung: many times of what it takes. */
  readonly secondsMax: number;
}

/** The run of a suite that may notice this mutant; null: none can. */
export function runOf(suite: SuiteName, { suites }: Pick<Mutant, 'suites'>): SuiteRun | null {
  switch (suite) {
    case 'sim':
      return suites.sim ? simulation(suites.sim === true ? SEEDS : suites.sim) : null;
    case 'scope':
      return suites.scope ? scopes : null;
    default:
      return suites[suite] ? jest(suite, suites[suite]) : null;
  }
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

/** In one process: a file or two need no second one. */
function jest(suite: SuiteName, files: readonly string[]): SuiteRun {
  const args = [
    'tools/jest.mjs',
    '--selectProjects',
    suite,
    '--runInBand',
    '--reporters=<rootDir>/tests/mutants/first-failure.mjs',
    '--',
    ...files,
  ];
  return { args, failure: /^FAILED .+$/m, secondsMax: 180 };
}
