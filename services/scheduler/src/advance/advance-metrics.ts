import type { EventVerdict, RunDecision } from '#core';
import type { Metrics } from '#telemetry';

/** Counts what the scheduler wrote and what it turned away. One audit row stands behind each transition: the database writes it. */
export class AdvanceMetrics {
  private readonly transitions;
  private readonly audited;
  private readonly reports;
  private readonly batches;

  constructor(metrics: Metrics) {
    this.transitions = metrics.counter({
      name: 'flowforge_transitions_total',
      help: 'State transitions by subject (run, step), the state entered, and result (applied, conflict).',
      labels: ['subject', 'state', 'result'],
    });
    this.audited = metrics.counter({
      name: 'flowforge_audit_entries_total',
      help: 'Audit rows written by the database for these transitions.',
    });
    this.reports = metrics.counter({
      name: 'flowforge_report_verdicts_total',
      help: 'Reports and other events by what became of them.',
      labels: ['verdict'],
    });
    this.batches = metrics.histogram({
      name: 'flowforge_decision_batch_runs',
      help: 'Runs written by one transaction.',
      buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000],
    });
  }

  written(decisions: readonly RunDecision[]): void {
    let entries = 0;
    for (const { runMove, stepMoves } of decisions) {
      const moves = [...(runMove ? [{ subject: 'run', ...runMove }] : []), ...stepMoves.map((move) => ({ subject: 'step', ...move }))];
      for (const { subject, via, enters } of moves) {
        for (const state of via ? [via, enters] : [enters]) {
          this.transitions.inc({ subject, state, result: 'applied' });
          entries += 1;
        }
      }
    }
    this.audited.inc(entries);
    this.batches.observe(decisions.length);
  }

  verdicts(verdicts: Iterable<EventVerdict | 'foreign' | 'malformed' | 'refused'>): void {
    for (const verdict of verdicts) this.reports.inc({ verdict });
  }
}
