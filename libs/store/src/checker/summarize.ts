import type { CheckInput } from './checks.ts';
import type { Evidence } from './evidence.ts';
import type { FindingBook } from './finding-book.ts';
import { CHECKED_INVARIANTS, type CheckReport, type InvariantId, type InvariantReport } from './report.ts';

/** How much there was to check. */
export interface Sizes {
  readonly runs: number;
  readonly steps: number;
  readonly audit: number;
  readonly live: number;
  readonly waits: number;
  readonly timers: number;
  readonly sessions: number;
  readonly outputs: number;
  readonly logLines: number;
  readonly keys: number;
  readonly snapshotAt: string;
}

interface Seen extends CheckInput {
  readonly history: Evidence['history'] | null;
  readonly ledger: Evidence['ledger'] | null;
  readonly tookMs: number;
}

export function summarize(book: FindingBook, sizes: Sizes, seen: Seen): CheckReport {
  const invariants = ids().map((id) => invariantReport(id, book, sizes, seen));
  const withVerdict = (verdict: InvariantReport['verdict']) => invariants.filter((one) => one.verdict === verdict).map(({ id }) => id);
  const broken = withVerdict('broken');
  return {
    invariants,
    summary: {
      verdict: broken.length > 0 ? 'broken' : 'holds',
      broken,
      notChecked: withVerdict('not_checked'),
      findings: invariants.reduce((sum, { findingsTotal }) => sum + findingsTotal, 0),
      runs: sizes.runs,
      auditRows: sizes.audit,
      snapshotAt: sizes.snapshotAt,
      tookMs: seen.tookMs,
    },
  };
}

function ids(): InvariantId[] {
  return ['I1', 'I2', 'I3', 'I4', 'I5', 'I8', 'I9', 'I10', 'I12'];
}

function invariantReport(id: InvariantId, book: FindingBook, sizes: Sizes, seen: Seen): InvariantReport {
  const { findings, total } = book.findingsOf(id);
  const checked = checkedOf(id, sizes, seen);
  const verdict = checked === null ? 'not_checked' : total > 0 ? 'broken' : 'holds';
  return { id, title: CHECKED_INVARIANTS[id], verdict, checked: checked ?? 0, findings, findingsTotal: total };
}

/** Rows, messages and events that the invariant was checked on; null: it was not checked for want of evidence. */
function checkedOf(id: InvariantId, sizes: Sizes, { quiescent, expected, streams, history, ledger }: Seen): number | null {
  switch (id) {
    case 'I1':
      return sizes.runs + sizes.live + sizes.keys + (expected?.length ?? 0);
    case 'I2':
    case 'I3':
      return sizes.audit;
    case 'I4':
      return sizes.steps + (ledger?.length ?? 0);
    case 'I5':
      return sizes.live + sizes.timers + sizes.sessions;
    case 'I8':
      return streams?.reduce((sum, { entries }) => sum + entries.length, 0) ?? null;
    case 'I9':
      return quiescent ? sizes.live + sizes.timers + sizes.waits + sizes.sessions + (streams?.length ?? 0) : null;
    case 'I10':
      return sizes.outputs + sizes.logLines + sizes.steps;
    case 'I12':
      return sizes.runs + sizes.steps + (history?.length ?? 0);
  }
}
