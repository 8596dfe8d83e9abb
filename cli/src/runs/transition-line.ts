import type { Transition } from '#contracts';
import { type Paint, paintState } from '../terminal/paint.ts';
import { oneLine } from '../terminal/printable.ts';
import { clock } from '../terminal/times.ts';

/** One transition on one line: `13:10:33.123  fetch  RUNNING → RETRYING  attempt 2  http.status.503`. */
export function transitionLine({ transitionedAt, step, previousState, newState, attempt, reason }: Transition, paint: Paint): string {
  const notes = [attempt !== null && attempt > 1 ? `attempt ${attempt}` : '', reason ?? ''].filter((note) => note !== '');
  const from = previousState === null ? '' : `${previousState} → `;
  return [
    paint.dim(clock(transitionedAt)),
    step === null ? paint.bold('run') : oneLine(step),
    `${from}${paintState(paint, newState)}`,
    ...notes.map(oneLine),
  ].join('  ');
}
