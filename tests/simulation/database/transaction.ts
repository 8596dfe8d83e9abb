import { DatabaseError, MustWait, type RowChanges, type Table } from './table.ts';
import type { AuditRow } from './rows.ts';

type Changes<Row> = Map<string, Row | null>;

/** A transaction under way: what it changed, which locks it holds, when it began. */
export class Transaction implements RowChanges {
  readonly audit: AuditRow[] = [];
  readonly locks = new Set<string>();
  /** The lock that it waits for. */
  waitsFor: string | null = null;
  private readonly changes = new Map<Table<unknown>, Changes<unknown>>();

  constructor(
    /** Who holds which lock, in the whole database. */
    private readonly held: Map<string, Transaction>,
    /** PostgreSQL's now(): the beginning of the transaction. */
    readonly now: number,
  ) {}

  changesOf<Row>(table: Table<Row>): Changes<Row> | undefined {
    // The map's key decides the type of its value, which the compiler cannot know.
    return this.changes.get(table) as Changes<Row> | undefined;
  }

  change<Row>(table: Table<Row>, key: string, row: Row | null): void {
    let changes = this.changesOf(table);
    if (!changes) this.changes.set(table, (changes = new Map()));
    changes.set(key, row);
  }

  /** Takes a lock or throws `MustWait`; a circle of waiting is a deadlock (40P01). */
  lock(name: string): void {
    const holder = this.held.get(name);
    if (holder === this) return;
    if (!holder) {
      this.held.set(name, this);
      this.locks.add(name);
      return;
    }
    for (let other: Transaction | undefined = holder; other?.waitsFor; other = this.held.get(other.waitsFor))
      if (this.locks.has(other.waitsFor)) throw new DatabaseError('40P01', `deadlock on ${name}`);
    throw new MustWait(name);
  }

  get writes(): boolean {
    return this.changes.size > 0;
  }

  /** Makes its changes the truth. The caller lets go of the locks. */
  apply(): void {
    for (const [table, changes] of this.changes)
      for (const [key, row] of changes) {
        if (row === null) table.committed.delete(key);
        else table.committed.set(key, row);
      }
  }
}
