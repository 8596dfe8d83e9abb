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
    const runs = new Tally();
    const steps = new Tally();
    for (const { runMove, stepMoves } of decisions) {
      if (runMove) runs.addMove(runMove);
      for (const move of stepMoves) steps.addMove(move);
    }
    for (const [state, count] of runs.counts) this.transitions.inc({ subject: 'run', state, result }, count);
    for (const [state, count] of steps.counts) this.transitions.inc({ subject: 'step', state, result }, count);
    return runs.total + steps.total;
  }

  verdicts(verdicts: Iterable<EventVerdict | 'foreign' | 'malformed' | 'refused'>): void {
    const tally = new Tally();
    for (const verdict of verdicts) tally.add(verdict);
    for (const [verdict, count] of tally.counts) this.reports.inc({ verdict }, count);
  }
}

/** How often each word came: a metric is written once per word and batch, not once per row. */
class Tally {
  readonly counts = new Map<string, number>();
  total = 0;

  add(word: string): void {
    this.counts.set(word, (this.counts.get(word) ?? 0) + 1);
    this.total += 1;
  }

  addMove({ via, enters }: { readonly via: string | null; readonly enters: string }): void {
    if (via !== null) this.add(via);
    this.add(enters);
  }
}
