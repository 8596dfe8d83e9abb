import { DomainError, type PlanStep, type RunEvent, type RunView, type StepEvaluation, type StepView } from '#core';
import type { RunHead } from '#store';
import type { KnownPlan } from '../plans/plan-cache.ts';

/**
 * Numbers of the steps whose rows a decision about these events looks at first; 0: all of the run's. Known before anything is read of the run,
 * so that they are read together with it.
 */
export function rowsToBegin(events: readonly RunEvent[]): number[] {
  if (events.some(({ kind }) => kind === 'admitted' || kind === 'cancel' || kind === 'deadline')) return [0];
  return [...new Set(events.flatMap((event) => ('stepNo' in event ? [event.stepNo] : [])))];
}

/** What has been read of a run while a decision about it is being made. Grows until the decision has all it wants. */
export class KnownRun {
  readonly evaluations = new Map<number, StepEvaluation>();
  /** The steps that its first admission takes over from the run it retries. */
  readonly takesOver: ReadonlySet<number>;
  private readonly steps = new Map<number, StepView>();
  private readonly unmet = new Map<number, number>();
  private looked: 'all' | Set<number> = new Set();

  constructor(
    readonly head: RunHead,
    private readonly known: KnownPlan,
    readonly events: readonly RunEvent[],
  ) {
    this.takesOver = new Set(events.flatMap((event) => (event.kind === 'admitted' ? event.reused : [])));
    // A run that has not begun has no steps: nothing needs to be read to know that.
    if (head.state === 'CREATED') this.looked = 'all';
  }

  get workflow(): string {
    return this.known.workflow;
  }

  planStep(no: number): PlanStep {
    const step = this.known.plan.steps[no - 1];
    if (!step) throw new DomainError('invariant.broken', 'A step number is not in the plan.', { run: this.head.id, step: no }, null, 'bug');
    return step;
  }

  addSteps(asked: readonly number[], rows: readonly StepView[]): void {
    if (asked.includes(0)) this.looked = 'all';
    else if (this.looked !== 'all') for (const no of asked) this.looked.add(no);
    for (const row of rows) this.steps.set(row.no, row);
  }

  /** Joins that were asked for and have no row miss nothing. */
  addUnmet(asked: readonly number[], rows: ReadonlyMap<number, number>): void {
    for (const no of asked) this.unmet.set(no, rows.get(no) ?? 0);
  }

  view(): RunView {
    const { id, deploymentId, state, version, rev, remaining, active, waiting, failed } = this.head;
    const { steps, looked, unmet } = this;
    return { id, deploymentId, plan: this.known.plan, state, version, rev, remaining, active, waiting, failed, steps, looked, unmet };
  }
}
