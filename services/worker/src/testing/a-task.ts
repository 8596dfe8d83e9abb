import { randomUUID } from 'node:crypto';
import type { TaskMessage } from '#contracts';

/** A task of a run of its own. */
export function aTask(change: Partial<TaskMessage> = {}): TaskMessage {
  return {
    v: 1,
    runId: randomUUID(),
    stepNo: 1,
    epoch: 1,
    dispatchNo: 1,
    step: 'only',
    uses: 'noop',
    input: {},
    attempt: 1,
    timeoutSeconds: 30,
    idempotencyKey: 'key',
    workflow: 'test',
    workflowVersion: 1,
    environment: null,
    team: null,
    ...change,
  };
}
