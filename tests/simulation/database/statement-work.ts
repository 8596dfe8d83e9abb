import type { Database } from './database.ts';
import type { StatementValues } from './statement-values.ts';
import type { Transaction } from './transaction.ts';

/** What a statement of `libs/store/src/queries` does, on the rows in memory. Throws `DatabaseError`, and `MustWait` for a lock. */
export type StatementWork = (database: Database, tx: Transaction, values: StatementValues) => readonly object[];
