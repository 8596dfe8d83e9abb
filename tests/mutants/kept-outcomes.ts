import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { SuiteName } from './options.ts';
import type { Outcome } from './trial.ts';

type Kept = Record<string, Record<string, Outcome>>;

/** What was tried before, in a file: a run that was ended in the middle goes on where it stood. What did not run at all is not kept. */
export class KeptOutcomes {
  private constructor(
    private readonly path: string | undefined,
    private readonly outcomes: Kept,
  ) {}

  /** Without a path nothing is kept. A file that is not there yet is an empty one. */
  static open(path: string | undefined): KeptOutcomes {
    return new KeptOutcomes(path, path === undefined ? {} : read(path));
  }

  find(mutant: string, suite: SuiteName): Outcome | undefined {
    return this.outcomes[mutant]?.[suite];
  }

  add(mutant: string, suite: SuiteName, found: Outcome): void {
    if (this.path === undefined || found.kind === 'broken') return;
    const ofMutant = (this.outcomes[mutant] ??= {});
    ofMutant[suite] = found;
    writeFileSync(`${this.path}.new`, JSON.stringify(this.outcomes, null, 2));
    renameSync(`${this.path}.new`, this.path);
  }
}

/** Only this class writes the file. */
function read(path: string): Kept {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Kept;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw error;
  }
}
