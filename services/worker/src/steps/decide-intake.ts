import { TaskMessage } from '#contracts';
import type { Delivery } from '#transport';

/** What to do with a delivered task. `replaces`: an older dispatch of the step is still held here and is to be dropped. */
export type IntakeVerdict =
  | { readonly kind: 'run'; readonly task: TaskMessage; readonly replaces: boolean }
  | { readonly kind: 'skip'; readonly why: 'redelivered' | 'duplicate' | 'stale' | 'cancelled' }
  | { readonly kind: 'refuse'; readonly reason: string };

export interface IntakeView {
  /** The worker's epoch; tasks of an older one come from before a restore. */
  readonly epoch: number;
  /** Dispatch number under which the step is held here, if it is. */
  readonly heldDispatch: (runId: string, stepNo: number) => number | undefined;
}

/**
 * Decides about one delivery, before cancel marks are read. A redelivered task had a holder whose lease ended: only the scheduler may
 * hand the step out again, under a new token, so that worker losses are counted and no step runs twice under one.
 */
export function decideIntake(delivery: Pick<Delivery, 'body' | 'deliveries'>, view: IntakeView): IntakeVerdict {
  const parsed = TaskMessage.safeParse(parseJson(delivery.body));
  if (!parsed.success)
    return {
      kind: 'refuse',
      reason: `The message is no task: ${parsed.error.issues[0]?.path.join('.') ?? ''} ${parsed.error.issues[0]?.message ?? ''}`,
    };
  const task = parsed.data;
  if (delivery.deliveries > 1) return { kind: 'skip', why: 'redelivered' };
  if (task.epoch !== view.epoch) return { kind: 'skip', why: 'stale' };
  const held = view.heldDispatch(task.runId, task.stepNo);
  if (held === task.dispatchNo) return { kind: 'skip', why: 'duplicate' };
  if (held !== undefined && held > task.dispatchNo) return { kind: 'skip', why: 'stale' };
  return { kind: 'run', task, replaces: held !== undefined };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
