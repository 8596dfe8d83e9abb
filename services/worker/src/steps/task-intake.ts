import { cancelMark, type TaskMessage } from '#contracts';
import { HandlerUnavailable, type Delivery, type StreamTransport } from '#transport';
import { decideIntake, type IntakeVerdict } from './decide-intake.ts';
import type { HeldSteps } from './held-step.ts';

export interface IntakeEvents {
  /** Run it. `replaces`: an older dispatch of the step is held and must go. */
  accepted(task: TaskMessage, delivery: Delivery, replaces: boolean): void;
  /** Not to be run here: acknowledge it. */
  skipped(delivery: Delivery, why: 'redelivered' | 'duplicate' | 'stale' | 'cancelled'): void;
  /** Not to be understood: a dead letter in the end. */
  refused(delivery: Delivery, reason: string): void;
}

export interface IntakeLane {
  readonly deployment: string;
  readonly epoch: number;
  /** Whether a step of this kind does anything but hand its input on. */
  readonly hasEffect: (uses: string) => boolean;
}

/** Takes batches of the tasks stream. */
export class TaskIntake {
  constructor(
    private readonly transport: Pick<StreamTransport, 'marks'>,
    private readonly held: HeldSteps,
    private readonly lane: IntakeLane,
    private readonly events: IntakeEvents,
  ) {}

  async take(batch: readonly Delivery[]): Promise<void> {
    // failpoint p14: the tasks are this worker's, and none of them has begun
    const verdicts = this.decide(batch);
    const tasks = verdicts.flatMap(({ verdict }) => (verdict.kind === 'run' ? verdict.task : []));
    const cancelled = await this.cancelled(tasks.filter(({ uses }) => this.lane.hasEffect(uses)));
    for (const { delivery, verdict } of verdicts) {
      if (verdict.kind === 'refuse') this.events.refused(delivery, verdict.reason);
      else if (verdict.kind === 'skip') this.events.skipped(delivery, verdict.why);
      else if (cancelled.has(verdict.task)) this.events.skipped(delivery, 'cancelled');
      else this.events.accepted(verdict.task, delivery, verdict.replaces);
    }
  }

  /** A batch may hold a step twice, so what it has accepted so far counts as held. */
  private decide(batch: readonly Delivery[]): { delivery: Delivery; verdict: IntakeVerdict }[] {
    const accepted = new Map<string, number>();
    const heldDispatch = (runId: string, stepNo: number) =>
      accepted.get(`${runId}:${stepNo}`) ?? this.held.find(runId, stepNo)?.task.dispatchNo;
    return batch.map((delivery) => {
      const verdict = decideIntake(delivery, { epoch: this.lane.epoch, heldDispatch });
      if (verdict.kind === 'run') accepted.set(`${verdict.task.runId}:${verdict.task.stepNo}`, verdict.task.dispatchNo);
      return { delivery, verdict };
    });
  }

  /**
   * A cancel that was published while nobody listened is found here. Without an answer nothing may start: the batch comes again. A step
   * without an effect is not asked about: what a cancelled one reports is settled already.
   */
  private async cancelled(tasks: readonly TaskMessage[]): Promise<ReadonlySet<TaskMessage>> {
    if (tasks.length === 0) return new Set();
    try {
      const marks = await this.transport.marks(tasks.map(({ runId, stepNo }) => cancelMark(this.lane.deployment, runId, stepNo)));
      return new Set(tasks.filter(({ dispatchNo }, at) => isVoid(dispatchNo, marks[at] ?? null)));
    } catch (error) {
      throw new HandlerUnavailable('The cancel marks could not be read.', error);
    }
  }
}

/** A mark holds the newest dispatch number that is void; one that cannot be read voids all, for the scheduler sends a step again. */
function isVoid(dispatchNo: number, mark: string | null): boolean {
  return mark !== null && !(Number(mark) < dispatchNo);
}
