import { LRUCache } from 'lru-cache';
import { DomainError, type Plan } from '#core';
import { findPlan, type HotConnection } from '#store';

/** Plans kept, and the steps they may have together: about 1 KiB of heap each. */
const PLANS_MAX = 2_000;
const STEPS_MAX = 200_000;

/** A workflow version as runs need it. */
export interface KnownPlan {
  readonly plan: Plan;
  readonly workflow: string;
}

/** The plans of workflow versions. Versions are immutable, so what was read once stays true. */
export class PlanCache {
  private readonly plans = new LRUCache<string, KnownPlan>({
    max: PLANS_MAX,
    maxSize: STEPS_MAX,
    sizeCalculation: ({ plan }) => Math.max(1, plan.steps.length),
  });

  constructor(private readonly connection: HotConnection) {}

  async get(workflowId: string, version: number): Promise<KnownPlan> {
    const key = `${workflowId} ${version}`;
    const known = this.plans.get(key);
    if (known) return known;
    const found = await findPlan(this.connection, workflowId, version);
    if (!found)
      throw new DomainError(
        'workflow.version_unknown',
        'A run names a workflow version that does not exist.',
        { workflow: workflowId, version },
        null,
        'bug',
      );
    // Written by the api from the compiler's own output, in the same transaction as the version: the shape is ours.
    const plan: KnownPlan = { plan: found.plan as Plan, workflow: found.name };
    this.plans.set(key, plan);
    return plan;
  }
}
