import { describe, expect, it } from '@jest/globals';
import { aPlan } from '../../../testing/src/given/plan.ts';
import type { StepState } from '../states.ts';
import { reusableSteps } from './reuse.ts';

// fetch → left ↘
//       → right → join → publish
const plan = aPlan({
  fetch: {},
  left: { needs: ['fetch'], condition: 'plain' },
  right: { needs: ['fetch'] },
  join: { needs: ['left', 'right'] },
  publish: { needs: ['join'] },
});
type Ended = [state: StepState, reason?: string];

const reused = (...rows: (Ended | null)[]) => {
  const ended = rows.flatMap((row, at) => (row ? [[at + 1, { state: row[0], reason: row[1] ?? null }] as const] : []));
  return reusableSteps(plan, new Map(ended)).map((no) => plan.steps[no - 1]?.name);
};

describe('reusableSteps', () => {
  it.each<[string, (Ended | null)[], string[]]>([
    ['nothing of a run that never began', [], []],
    ['nothing when the first step failed', [['FAILED'], ['SKIPPED', 'step.need_failed'], ['SKIPPED', 'step.need_failed'], null, null], []],
    [
      'what succeeded before the failure',
      [['SUCCEEDED'], ['SUCCEEDED'], ['FAILED'], ['SKIPPED', 'step.need_failed'], null],
      ['fetch', 'left'],
    ],
    ['a branch beside the one that failed', [['SUCCEEDED'], ['TIMED_OUT'], ['SUCCEEDED'], null, null], ['fetch', 'right']],
    [
      'a join behind a branch that its own condition left out',
      [['SUCCEEDED'], ['SKIPPED', 'step.condition_false'], ['SUCCEEDED'], ['SUCCEEDED'], ['FAILED']],
      ['fetch', 'right', 'join'],
    ],
    [
      'what was taken over before',
      [['SKIPPED', 'step.reused'], ['SKIPPED', 'step.reused'], ['SUCCEEDED'], ['FAILED'], null],
      ['fetch', 'left', 'right'],
    ],
    [
      'nothing that stands on a cancelled step',
      [['SUCCEEDED'], ['CANCELLED'], ['SUCCEEDED'], ['SUCCEEDED'], ['SUCCEEDED']],
      ['fetch', 'right'],
    ],
    ['nothing that stands on a step whose row is missing', [null, ['SUCCEEDED'], ['SUCCEEDED'], ['SUCCEEDED'], ['SUCCEEDED']], []],
    [
      'all of a run in which all went well',
      [['SUCCEEDED'], ['SUCCEEDED'], ['SUCCEEDED'], ['SUCCEEDED'], ['SUCCEEDED']],
      ['fetch', 'left', 'right', 'join', 'publish'],
    ],
  ])('takes over %s', (_what, rows, names) => {
    expect(reused(...rows)).toEqual(names);
  });
});
