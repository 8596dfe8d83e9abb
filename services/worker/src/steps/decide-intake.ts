import { PAYLOAD_DEPTH_MAX, TaskMessage, isDeeperThan } from '#contracts';
import type { Delivery } from '#transport';

/** Deepest nesting of an input: it may wrap outputs several times. Far below what a copy to another process overflows at. */
const INPUT_DEPTH_MAX = 4 * PAYLOAD_DEPTH_MAX;

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
  const task = readTask(delivery.body);
  if (typeof task === 'string') return { kind: 'refuse', reason: task };
  if (delivery.deliveries > 1) return { kind: 'skip', why: 'redelivered' };
  if (task.epoch !== view.epoch) return { kind: 'skip', why: 'stale' };
  const held = view.heldDispatch(task.runId, task.stepNo);
  if (held === task.dispatchNo) return { kind: 'skip', why: 'duplicate' };
  if (held !== undefined && held > task.dispatchNo) return { kind: 'skip', why: 'stale' };
  return { kind: 'run', task, replaces: held !== undefined };
}

/** The task, or why it is none. Never throws: one message must not sink the batch that it came in. */
function readTask(body: string): TaskMessage | string {
  try {
    const parsed = TaskMessage.safeParse(JSON.parse(body));
    if (parsed.success) return isDeeperThan(INPUT_DEPTH_MAX, parsed.data.input) ? 'The input is nested too deep.' : parsed.data;
    const [issue] = parsed.error.issues;
    return `The message is no task: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim();
  } catch {
    return 'The message is no JSON.';
  }
}
