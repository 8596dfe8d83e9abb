import type { WorkflowDefinition } from '../definition.ts';
import type { FaultList } from '../source/fault-list.ts';

/** What is allowed, but surprises later. */
export function addWarnings(definition: WorkflowDefinition, warnings: FaultList): void {
  for (const [name, step] of Object.entries(definition.spec.steps)) {
    const path = ['spec', 'steps', name, 'retry'];
    const retries = (step.retry?.attempts ?? 1) > 1;
    if (retries && (step.uses === 'noop' || step.uses === 'delay')) {
      warnings.add('warning_retry_useless', `${name} never fails, so its retry has no effect.`, 'Remove retry.', { path, at: 'key' });
    }
    if (step.retry !== undefined && step.retry.attempts === undefined) {
      warnings.add('warning_retry_once', `${name} has a retry without attempts, so it is tried once.`, 'Add attempts.', {
        path,
        at: 'key',
      });
    }
  }
}
