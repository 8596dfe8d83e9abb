import type { Plan, PlanStep } from '#core';
import type { StepRow } from '#store';

/** A step as it is shown: what the plan says of it, and what became of it. */
export interface StepView extends Omit<StepRow, 'createdAt' | 'changedAt'> {
  readonly name: string;
  readonly uses: string;
  readonly needs: readonly string[];
  readonly attemptsMax: number;
  readonly createdAt: Date | null;
  readonly changedAt: Date | null;
}

const PENDING = {
  state: 'PENDING',
  version: 0,
  attempt: 1,
  workerLosses: 0,
  reason: null,
  error: null,
  createdAt: null,
  changedAt: null,
  startedAt: null,
  endedAt: null,
} as const;

/** A step without a row has not left PENDING. */
export function stepView(plan: Plan, step: PlanStep, row: StepRow | undefined): StepView {
  const needs = step.needs.map((no) => plan.steps[no - 1]?.name ?? '');
  return { stepNo: step.no, name: step.name, uses: step.uses, needs, attemptsMax: step.retry.attempts, ...(row ?? PENDING) };
}
