import type { Metrics } from '#telemetry';

/** Takes whatever is counted and keeps nothing: nobody reads the metrics of a simulated process. */
export function noMetrics(): Metrics {
  const nothing: object = new Proxy(() => nothing, { get: () => nothing });
  return nothing as Metrics;
}
