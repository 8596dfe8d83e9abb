import type { Plan } from '../plan.ts';
import type { StepState } from '../states.ts';
import { SKIP_REASONS } from './run-view.ts';

/**
 * The steps that a retry of an ended run takes over instead of running them again: those that succeeded (or were taken over themselves) and
 * stand on nothing but such steps and steps whose own condition skipped them. In plan order.
 */
export function reusableSteps(
  plan: Plan,
  ended: ReadonlyMap<number, { readonly state: StepState; readonly reason: string | null }>,
): number[] {
  const sound = new Set<number>();
  const reused: number[] = [];
  for (const { no, needs } of plan.steps) {
    const row = ended.get(no);
    if (!row || !needs.every((need) => sound.has(need))) continue;
    const done = row.state === 'SUCCEEDED' || (row.state === 'SKIPPED' && row.reason === SKIP_REASONS.reused);
    if (done) reused.push(no);
    if (done || (row.state === 'SKIPPED' && row.reason === SKIP_REASONS.condition)) sound.add(no);
  }
  return reused;
}
