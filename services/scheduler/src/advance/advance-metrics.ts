import type { EventVerdict, RunDecision } from '#core';
import type { Metrics } from '#telemetry';

/** Counts what the scheduler wrote and what it turned away. One audit row stands behind each transition: the database writes it. */
export class AdvanceMetrics {
  private readonly transitions;
  private readonly audited;
  private readonly reports;
  private readonly batches;
  private readonly writeSeconds;

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
    this.writeSeconds = metrics.histogram({
      name: 'flowforge_audit_write_seconds',
      help: 'Time of the transactions that write transitions with their audit rows.',
    });
    this.batches = metrics.histogram({
      name: 'flowforge_decision_batch_runs',
      help: 'Runs written by one transaction.',
      buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000],
    });
  }

  /** Decisions that one transaction wrote, in so many seconds. */
  written(decisions: readonly RunDecision[], seconds: number): void {
    this.audited.inc(this.count(decisions, 'applied'));
    this.batches.observe(decisions.length);
    this.writeSeconds.observe(seconds);
  }

  /** Decisions that lost their race: somebody else had moved the run. No error: they are decided again. */
  lost(decisions: readonly RunDecision[]): void {
    this.count(decisions, 'conflict');
  }

  private count(decisions: readonly RunDecision[], result: 'applied' | 'conflict'): number {
    let transitions = 0;
    for (const { runMove, stepMoves } of decisions) {
      const moves = [...(runMove ? [{ subject: 'run', ...runMove }] : []), ...stepMoves.map((move) => ({ subject: 'step', ...move }))];
      for (const { subject, via, enters } of moves) {
        for (const state of via ? [via, enters] : [enters]) {
          this.transitions.inc({ subject, state, result });
          transitions += 1;
        }
      }
    }
    return transitions;
  }

  verdicts(verdicts: Iterable<EventVerdict | 'foreign' | 'malformed' | 'refused'>): void {
    for (const verdict of verdicts) this.reports.inc({ verdict });
  }
}
