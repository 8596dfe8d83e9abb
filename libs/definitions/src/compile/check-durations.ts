import type { WorkflowDefinition } from '../definition.ts';
import { parseDurationMs } from '../durations.ts';
import { DEFINITION_LIMITS } from '../limits.ts';
import type { FaultList } from '../source/fault-list.ts';
import type { Path } from '../source/source-map.ts';

/** Durations have the right form here; zero and absurd ones are left. */
export function checkDurations(definition: WorkflowDefinition, faults: FaultList): void {
  const check = (text: string | undefined, path: Path, isZeroFine: boolean): void => {
    if (text === undefined) return;
    const milliseconds = parseDurationMs(text);
    const max = DEFINITION_LIMITS.durationSecondsMax * 1_000;
    if (milliseconds !== null && milliseconds <= max && (isZeroFine || milliseconds > 0)) return;
    faults.add(
      'duration_invalid',
      `${text} is not between ${isZeroFine ? '0s' : '1ms'} and ${max / 86_400_000}d.`,
      'Write a number and a unit: 250ms, 30s, 15m, 2h, 1d.',
      { path },
    );
  };
  check(definition.spec.timeout, ['spec', 'timeout'], false);
  for (const [name, step] of Object.entries(definition.spec.steps)) {
    check(step.timeout, ['spec', 'steps', name, 'timeout'], false);
    check(step.retry?.backoff, ['spec', 'steps', name, 'retry', 'backoff'], true);
    check(step.retry?.maxBackoff, ['spec', 'steps', name, 'retry', 'maxBackoff'], true);
  }
}
