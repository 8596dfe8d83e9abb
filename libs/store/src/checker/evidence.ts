import type { HistoryEvent } from './history.ts';

/** Effects that the outside world booked under one idempotency key. A key may come several times; the counts are added up. */
export interface LedgerEntry {
  readonly idempotencyKey: string;
  readonly count: number;
}

/** What one durable stream held. Take it before the check: a message is always sent after the commit that it repeats. */
export interface StreamSnapshot {
  readonly stream: string;
  /** Name of the deployment that the stream belongs to. */
  readonly deployment: string;
  readonly kind: 'tasks' | 'reports';
  readonly entries: readonly {
    readonly id: string;
    readonly runId: string;
    readonly stepNo: number;
    readonly epoch: number;
    readonly dispatchNo: number;
  }[];
  /** Messages delivered and not acknowledged. */
  readonly pending: number;
}

/** What was seen outside the database. Without it the parts that need it are not checked. */
export interface Evidence {
  readonly expected?: readonly string[];
  readonly ledger?: readonly LedgerEntry[];
  readonly history?: readonly HistoryEvent[];
  readonly streams?: readonly StreamSnapshot[];
}
