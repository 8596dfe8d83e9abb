import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { DomainError } from '#core';

/** Seconds; fits a request as well as a step. */
const secondsBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900];

interface Described<Label extends string> {
  /** `flowforge_step_transitions_total`; a counter ends in `_total`, a time in `_seconds`. */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly Label[];
}

/** The metrics of one process. Asking again for a name gives the metric that is there. */
export interface Metrics {
  readonly contentType: string;
  /** For a service that keeps its metrics in a class of its own. */
  readonly registry: Registry;
  counter<Label extends string = never>(metric: Described<Label>): Counter<Label>;
  gauge<Label extends string = never>(metric: Described<Label> & { collect?: (gauge: Gauge<Label>) => void | Promise<void> }): Gauge<Label>;
  histogram<Label extends string = never>(metric: Described<Label> & { buckets?: readonly number[] }): Histogram<Label>;
  /** All of them as Prometheus reads them. */
  text(): Promise<string>;
}

/** A registry of its own (not the library's global one, which several services in one process would share), with Node's own metrics. */
export function createMetrics(service: string): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  const once = <M>(name: string, make: () => M): M => {
    refuseBadName(name);
    // The name decides the kind: `counter` and `histogram` never share one, prom-client refuses that.
    return (registry.getSingleMetric(name) as M | undefined) ?? make();
  };
  const options = <Label extends string>({ name, help, labels = [] }: Described<Label>) => ({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
  });
  return {
    contentType: registry.contentType,
    registry,
    counter: (metric) => once(metric.name, () => new Counter(options(metric))),
    gauge: (metric) =>
      once(metric.name, () => {
        const { collect } = metric;
        return new Gauge({
          ...options(metric),
          ...(collect
            ? {
                collect() {
                  return collect(this);
                },
              }
            : {}),
        });
      }),
    histogram: (metric) => once(metric.name, () => new Histogram({ ...options(metric), buckets: [...(metric.buckets ?? secondsBuckets)] })),
    text: () => registry.metrics(),
  };
}

function refuseBadName(name: string): void {
  if (/^flowforge_[a-z][a-z0-9_]*$/.test(name)) return;
  throw new DomainError(
    'metrics.bad_name',
    `${name} is no metric name of ours.`,
    { name },
    'Write flowforge_<what>_<unit>, in snake_case.',
    'bug',
  );
}
