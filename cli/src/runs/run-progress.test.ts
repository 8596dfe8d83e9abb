import { describe, expect, it } from '@jest/globals';
import picocolors from 'picocolors';
import { aRun, aStep, aTransition } from '../testing/given.ts';
import { RunProgress } from './run-progress.ts';
import { transitionLine } from './transition-line.ts';

const paint = picocolors.createColors(false);
const now = Date.parse('2026-11-21T11:55:10.000Z');
const drawing = { paint, now, frame: 0, rowsMax: 20 };
const at = (second: string) => ({ transitionedAt: `2026-11-21T11:55:${second}Z` });

describe('RunProgress', () => {
  it('tells each step from its transitions', () => {
    const progress = new RunProgress(aRun(), [aStep(), aStep({ name: 'clean', attemptsMax: 1 }), aStep({ name: 'report' })]);
    progress.apply(aTransition(1, { newState: 'RUNNING' }));
    progress.apply(aTransition(2, { stepNo: 1, step: 'fetch', newState: 'DISPATCHED', attempt: 1, ...at('01.000') }));
    progress.apply(
      aTransition(3, { stepNo: 1, step: 'fetch', newState: 'RETRYING', attempt: 2, reason: 'http.status.503', ...at('02.000') }),
    );
    progress.apply(aTransition(4, { stepNo: 2, step: 'clean', newState: 'RUNNING', attempt: 1, ...at('05.000') }));
    progress.apply(aTransition(5, { stepNo: 2, step: 'clean', newState: 'SUCCEEDED', attempt: 1, ...at('06.500') }));

    expect(progress.lines(drawing)).toEqual([
      '⠋ RUNNING  orders v3  01890a5d-ac96-774b-bcce-b302099a8057  10.0s',
      '  · fetch   RETRYING    9.0s  attempt 2 of 5  http.status.503',
      '  ✓ clean   SUCCEEDED   1.5s',
      '  · report  PENDING',
    ]);
  });

  it('shows those at work and those that failed when there are more steps than rows', () => {
    const progress = new RunProgress(
      aRun(),
      Array.from({ length: 50 }, (_, no) => aStep({ name: `step-${no + 1}` })),
    );
    progress.apply(aTransition(1, { stepNo: 7, newState: 'FAILED', ...at('01.000') }));
    progress.apply(aTransition(2, { stepNo: 40, newState: 'RUNNING', ...at('01.000') }));

    const lines = progress.lines({ ...drawing, rowsMax: 6 });

    expect(lines).toHaveLength(4);
    expect(lines.join('\n')).toMatch(/step-7 .*FAILED[^]*step-40 .*RUNNING[^]*and 48 more steps: 48 PENDING, 1 FAILED, 1 RUNNING/);
  });

  it('does not stumble over a step or a state that it does not know', () => {
    const progress = new RunProgress(aRun(), [aStep()]);
    progress.apply(aTransition(1, { stepNo: 9, newState: 'RUNNING' }));
    progress.apply(aTransition(2, { stepNo: 1, newState: 'PONDERING' }));

    expect(progress.lines(drawing)[1]).toBe('  · fetch  PENDING');
  });
});

describe('transitionLine', () => {
  it('is plain text on one line', () => {
    const transition = aTransition(3, {
      stepNo: 1,
      step: 'fetch',
      previousState: 'RUNNING',
      newState: 'RETRYING',
      attempt: 2,
      reason: 'x\ny',
    });

    expect(transitionLine(transition, paint)).toBe('11:55:01.000  fetch  RUNNING → RETRYING  attempt 2  x y');
    expect(transitionLine(aTransition(1, { previousState: null, newState: 'CREATED' }), paint)).toBe('11:55:01.000  run  CREATED');
  });
});
