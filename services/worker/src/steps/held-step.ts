import type { HeldStep as HeldTuple, TaskMessage } from '#contracts';
import type { Delivery } from '#transport';

/** A step in this worker's hands, from its delivery until its report is acknowledged. */
export class HeldStep {
  /** waiting: for a free place · running · ended: its report is on its way. */
  phase: 'waiting' | 'running' | 'ended' = 'waiting';
  /** Why nothing will be reported: `lost`, it is someone else's now; `returned`, the task goes back for another worker to take. */
  dropped: 'lost' | 'returned' | null = null;

  constructor(
    readonly task: TaskMessage,
    readonly delivery: Delivery,
  ) {}

  get tuple(): HeldTuple {
    return [this.task.runId, this.task.stepNo, this.task.dispatchNo];
  }
}

/** `begun`: so many from the first on have begun. */
export interface HeldList {
  readonly held: HeldTuple[];
  readonly begun: number;
}

/** What this worker holds: at most one dispatch of a step at a time. */
export class HeldSteps {
  private readonly byKey = new Map<string, HeldStep>();

  get size(): number {
    return this.byKey.size;
  }

  find(runId: string, stepNo: number): HeldStep | undefined {
    return this.byKey.get(`${runId}:${stepNo}`);
  }

  /** Takes the place of an earlier dispatch of the same step. */
  add(step: HeldStep): void {
    this.byKey.set(`${step.task.runId}:${step.task.stepNo}`, step);
  }

  /** Does nothing when another dispatch of the step has taken its place. */
  remove(step: HeldStep): void {
    const { runId, stepNo } = step.task;
    if (this.find(runId, stepNo) === step) this.byKey.delete(`${runId}:${stepNo}`);
  }

  all(): HeldStep[] {
    return [...this.byKey.values()];
  }

  /** As a heartbeat lists them: those that were begun first. Dropped ones are out: their lease must not be renewed while they wind down. */
  listed(): HeldList {
    const [begun, waiting]: [HeldTuple[], HeldTuple[]] = [[], []];
    for (const step of this.byKey.values()) if (!step.dropped) (step.phase === 'waiting' ? waiting : begun).push(step.tuple);
    return { held: [...begun, ...waiting], begun: begun.length };
  }
}
