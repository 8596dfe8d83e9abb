import type { Metrics } from '#telemetry';

/** What is read from a worker when its metrics are asked for. */
export interface WorkerGauges {
  readonly running: number;
  readonly waiting: number;
  readonly heartbeatAgeSeconds: number;
}

/** What a worker of one deployment counts. Several may live in one process. */
export class WorkerMetrics {
  private readonly ended;
  private readonly skipped;
  private readonly batches;
  private readonly leases;
  private readonly dropped;

  constructor(
    metrics: Metrics,
    private readonly deployment: string,
    read: () => WorkerGauges,
  ) {
    const labels = ['deployment'] as const;
    const gauge = (name: string, help: string, value: (gauges: WorkerGauges) => number) =>
      metrics.gauge({ name, help, labels, collect: (metric) => metric.set({ deployment }, value(read())) });
    gauge('flowforge_worker_steps_running', 'Steps running in processes now', ({ running }) => running);
    gauge('flowforge_worker_steps_waiting', 'Steps taken and waiting for a free place', ({ waiting }) => waiting);
    gauge(
      'flowforge_worker_heartbeat_age_seconds',
      'Time since the last heartbeat that arrived',
      ({ heartbeatAgeSeconds }) => heartbeatAgeSeconds,
    );
    const counter = <Label extends string>(name: string, help: string, more: readonly Label[]) =>
      metrics.counter<Label | 'deployment'>({ name, help, labels: ['deployment', ...more] });
    this.ended = counter('flowforge_worker_steps_ended_total', 'Steps ended, by outcome', ['outcome']);
    this.skipped = counter('flowforge_worker_tasks_skipped_total', 'Tasks not run, by reason', ['why']);
    this.leases = counter('flowforge_worker_leases_lost_total', 'Leases that ran out because no heartbeat arrived', []);
    this.dropped = counter('flowforge_worker_log_lines_dropped_total', 'Log lines of steps dropped, by reason', ['why']);
    this.batches = metrics.histogram({
      name: 'flowforge_worker_report_batch_size',
      help: 'Reports sent in one round trip',
      labels,
      buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500],
    });
  }

  stepEnded(outcome: string): void {
    this.ended.inc({ deployment: this.deployment, outcome });
  }

  taskSkipped(why: string): void {
    this.skipped.inc({ deployment: this.deployment, why });
  }

  reportsSent(count: number): void {
    this.batches.observe({ deployment: this.deployment }, count);
  }

  leaseLost(): void {
    this.leases.inc({ deployment: this.deployment });
  }

  logLinesDropped(why: string, lines: number): void {
    this.dropped.inc({ deployment: this.deployment, why }, lines);
  }
}
