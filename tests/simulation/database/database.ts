import type { Rule, Rules } from './rules.ts';
import { Table } from './table.ts';
import { Transaction } from './transaction.ts';
import type {
  AuditRow,
  DeploymentRow,
  LeaseRow,
  LiveRow,
  OutputRow,
  RunRow,
  SessionRow,
  StepRow,
  TeamRow,
  TimerRow,
  VersionRow,
  WaitRow,
} from './rows.ts';
import type { Json } from '#core';

/** Key of a step's rows. */
export function stepKey(runId: string, stepNo: number): string {
  return `${runId} ${stepNo}`;
}

/** Everything that a backup holds. */
interface Backup {
  readonly tables: readonly ReadonlyMap<string, unknown>[];
  readonly audit: readonly AuditRow[];
}

/**
 * The database in memory: committed rows, row locks, one audit. Statements run on it one at a time; transactions see what is committed and
 * what they did themselves (READ COMMITTED). What the statements do stands in `statements.ts`.
 */
export class Database {
  readonly runs = new Table<RunRow>('workflow_runs');
  readonly inputs = new Table<Json>('run_inputs');
  readonly live = new Table<LiveRow>('live_runs');
  readonly steps = new Table<StepRow>('step_runs');
  readonly waits = new Table<WaitRow>('step_waits');
  readonly outputs = new Table<OutputRow>('step_outputs');
  readonly timers = new Table<TimerRow>('timers');
  readonly sessions = new Table<SessionRow>('worker_sessions');
  readonly leases = new Table<LeaseRow>('leader_leases');
  readonly locks = new Map<string, Transaction>();
  readonly versions = new Map<string, VersionRow>();
  readonly deployments = new Map<string, DeploymentRow>();
  readonly teams = new Map<string, TeamRow>();
  audit: AuditRow[] = [];
  epoch = 1;
  /** The leader's lease is given to whoever asks. */
  everyoneLeads = false;
  private readonly audited = new Set<string>();
  private readonly listeners: ((tx: Transaction) => void)[] = [];
  private readonly unlocked: (() => void)[] = [];

  constructor(
    private readonly broken: Rules,
    readonly clock: () => number,
    readonly uuid: () => string,
  ) {}

  private get tables(): Table<unknown>[] {
    const { runs, inputs, live, steps, waits, outputs, timers, sessions, leases } = this;
    return [runs, inputs, live, steps, waits, outputs, timers, sessions, leases];
  }

  /** Whether this world leaves a rule of the protocol out. */
  breaks(rule: Rule): boolean {
    return this.broken.has(rule);
  }

  begin(): Transaction {
    return new Transaction(this.locks, this.clock());
  }

  commit(tx: Transaction): void {
    tx.apply();
    for (const row of tx.audit) this.audited.add(keyOfAudit(row));
    this.audit.push(...tx.audit);
    if (tx.writes) for (const listener of this.listeners) listener(tx);
    this.end(tx);
  }

  /** Lets go of a transaction's locks, whether it was committed or not. */
  end(tx: Transaction): void {
    if (tx.locks.size === 0) return;
    for (const lock of tx.locks) this.locks.delete(lock);
    tx.locks.clear();
    for (const listener of this.unlocked.splice(0)) listener();
  }

  /** The next time that any lock is let go. */
  onceUnlocked(listener: () => void): void {
    this.unlocked.push(listener);
  }

  onCommit(listener: (tx: Transaction) => void): void {
    this.listeners.push(listener);
  }

  isAudited(row: AuditRow): boolean {
    return this.audited.has(keyOfAudit(row));
  }

  backup(): Backup {
    return { tables: this.tables.map(({ committed }) => new Map(committed)), audit: [...this.audit] };
  }

  /** Goes back in time. Whoever restores raises the epoch. */
  restore({ tables, audit }: Backup): void {
    this.tables.forEach(({ committed }, at) => {
      committed.clear();
      for (const [key, row] of tables[at] ?? []) committed.set(key, row);
    });
    this.audit = [...audit];
    this.audited.clear();
    for (const row of audit) this.audited.add(keyOfAudit(row));
    this.epoch += 1;
  }
}

function keyOfAudit({ runId, stepNo, version }: AuditRow): string {
  return `${runId} ${stepNo} ${version}`;
}
