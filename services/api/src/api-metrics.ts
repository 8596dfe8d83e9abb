import type { Counter, Histogram } from 'prom-client';
import type { DeploymentTier } from '#core';
import type { Metrics } from '#telemetry';

/** Different environment and team labels that a counter may get; the rest counts as `other`. */
const SCOPE_LABELS_MAX = 200;

/** What the api counts. */
export class ApiMetrics {
  readonly requests: Counter<'method' | 'route' | 'status'>;
  readonly requestSeconds: Histogram<'method' | 'route'>;
  readonly submitGroup: Histogram;
  private readonly selected: Counter<'tier' | 'environment' | 'team'>;
  private readonly conflicts: Counter<'command'>;
  private readonly scopes = new Set<string>();

  constructor(metrics: Metrics) {
    this.requests = metrics.counter({
      name: 'flowforge_http_requests_total',
      help: 'Requests answered, by route and status.',
      labels: ['method', 'route', 'status'],
    });
    this.requestSeconds = metrics.histogram({
      name: 'flowforge_http_request_seconds',
      help: 'Time to answer a request.',
      labels: ['method', 'route'],
    });
    this.submitGroup = metrics.histogram({
      name: 'flowforge_submit_group_runs',
      help: 'Runs inserted by one statement.',
      buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500],
    });
    this.selected = metrics.counter({
      name: 'flowforge_deployment_selected_total',
      help: 'Runs submitted, by the tier that picked their deployment.',
      labels: ['tier', 'environment', 'team'],
    });
    this.conflicts = metrics.counter({
      name: 'flowforge_command_conflicts_total',
      help: 'Commands on runs that lost a race or came too late.',
      labels: ['command'],
    });
  }

  deploymentSelected(tier: DeploymentTier, environment: string | null, team: string | null, count: number): void {
    const scope = `${environment}/${team}`;
    if (this.scopes.size < SCOPE_LABELS_MAX) this.scopes.add(scope);
    const known = this.scopes.has(scope);
    this.selected.inc({ tier, environment: known ? (environment ?? '') : 'other', team: known ? (team ?? '') : 'other' }, count);
  }

  conflict(command: 'cancel' | 'retry'): void {
    this.conflicts.inc({ command });
  }
}
