/** What a transaction has changed in tables and not yet committed. */
export interface RowChanges {
  changesOf<Row>(table: Table<Row>): ReadonlyMap<string, Row | null> | undefined;
  change<Row>(table: Table<Row>, key: string, row: Row | null): void;
}

/** Rows by key. Rows are values: a change puts another one in the place. Readers see what is committed, and their own transaction's changes. */
export class Table<Row> {
  readonly committed = new Map<string, Row>();

  constructor(readonly name: string) {}

  get(tx: RowChanges, key: string): Row | undefined {
    const changed = tx.changesOf(this)?.get(key);
    if (changed === undefined) return this.committed.get(key);
    return changed ?? undefined;
  }

  all(tx: RowChanges): Row[] {
    const changes = tx.changesOf(this);
    if (!changes || changes.size === 0) return [...this.committed.values()];
    const rows: Row[] = [];
    for (const [key, row] of this.committed) if (!changes.has(key)) rows.push(row);
    for (const row of changes.values()) if (row !== null) rows.push(row);
    return rows;
  }

  /** Throws 23505 when there is such a row. */
  insert(tx: RowChanges, key: string, row: Row): void {
    if (this.get(tx, key) !== undefined) throw new DatabaseError('23505', `duplicate key ${key} in ${this.name}`);
    tx.change(this, key, row);
  }

  put(tx: RowChanges, key: string, row: Row): void {
    tx.change(this, key, row);
  }

  remove(tx: RowChanges, key: string): void {
    tx.change(this, key, null);
  }
}

/** An error as the driver reports it. */
export class DatabaseError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** Thrown by a statement that has to wait for a lock: it is done again when the lock is free. */
export class MustWait extends Error {
  constructor(readonly lock: string) {
    super(`waits for ${lock}`);
  }
}
