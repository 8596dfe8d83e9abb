import type { Logger } from '#telemetry';
import type { ApiMetrics } from '../api-metrics.ts';
import type { PreparedRun } from './run-preparer.ts';
import type { RunWakeups } from './run-wakeups.ts';

/** Tells, after their commit, of runs that were started. */
export class RunAnnouncer {
  constructor(
    private readonly wakeups: RunWakeups,
    private readonly metrics: ApiMetrics,
    private readonly logger: Logger,
  ) {}

  /** Wakes the schedulers, and leaves one line for each place that runs went to. */
  tell(created: readonly PreparedRun[]): void {
    if (created.length === 0) return;
    this.wakeups.submitted(created.length);
    for (const [target, runs] of Map.groupBy(created, ({ run }) => run.target)) {
      const { workflowId, matchedBy, environment, team } = target;
      this.metrics.deploymentSelected(matchedBy, environment, team, runs.length);
      const [first] = runs;
      if (!first) continue;
      const { workflow, resolution } = first.place;
      const { deployment, tried } = resolution;
      const what = { workflowId, workflow: workflow.name, environment, team, count: runs.length };
      const where = { tier: matchedBy, tried, deployment: deployment.name, deploymentId: deployment.id, pool: deployment.pool };
      this.logger.info({ ...what, ...where }, 'deployment selected');
      // Each run's row tells its deployment and tier: a line with every id is for whoever looks for a fault.
      if (this.logger.isLevelEnabled('debug')) this.logger.debug({ workflowId, runs: runs.map(({ run }) => run.id) }, 'runs created');
    }
  }
}
