import { describe, expect, it } from '@jest/globals';
import type { Mutant } from './mutants.mjs';
import { countsOf, isNoticed, lineOf, pageOf, type Verdict } from './report.ts';
import type { SuiteName } from './options.ts';
import type { Outcome } from './trial.ts';

const mutant: Mutant = {
  ...{ name: 'no-fence', rule: 'A rule | of two words.', file: 'a.ts', find: 'x', replace: 'y' },
  suites: { unit: ['a'], sim: true },
};
const passed: Outcome = { kind: 'passed', seconds: 1 };
const noticed: Outcome = { kind: 'noticed', how: 'seed 7: I4 broken', seconds: 2 };
const broken: Outcome = { kind: 'broken', how: 'its text occurs 0 times', seconds: 0.5 };
const verdict = (outcomes: Partial<Record<SuiteName, Outcome>>): Verdict => ({
  mutant,
  outcomes: new Map(Object.entries(outcomes) as [SuiteName, Outcome][]),
});

describe('the report about mutants', () => {
  it.each<[string, Partial<Record<SuiteName, Outcome>>, boolean]>([
    ['one suite noticed it', { unit: passed, sim: noticed }, true],
    ['no suite noticed it', { unit: passed, sim: passed }, false],
    ['no suite was tried', {}, false],
    ['it did not fit its file any more, whatever else failed', { unit: broken, sim: noticed }, false],
  ])('counts a mutant when %s: %p', (_when, outcomes, expected) => {
    expect(isNoticed(verdict(outcomes))).toBe(expected);
  });

  it('tells who noticed what, in a line, a table and a sum', () => {
    const one = verdict({ unit: passed, sim: noticed });

    expect(lineOf(one)).toMatch(/^✓ no-fence +3\.0 s {2}unit – · sim: seed 7: I4 broken$/);
    expect(pageOf([one], ['unit', 'sim', 'scope'], 'here')).toContain(
      '| `no-fence` | A rule \\| of two words. | ○ | ● |   | seed 7: I4 broken |',
    );
    expect(countsOf([one, verdict({ unit: noticed })], ['unit', 'sim'])).toBe('unit 1 of 2, sim 1 of 1');
  });
});
