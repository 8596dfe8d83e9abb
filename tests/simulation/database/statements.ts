import { admissionStatements } from './statements-admission.ts';
import { commandStatements } from './statements-commands.ts';
import { decisionStatements } from './statements-decisions.ts';
import { keepingStatements } from './statements-keeping.ts';
import { readingStatements } from './statements-reading.ts';
import type { Database } from './database.ts';
import type { StatementValues } from './statement-values.ts';
import type { Transaction } from './transaction.ts';

/** What a statement of `libs/store/src/queries` does, on the rows in memory. Throws `DatabaseError`, and `MustWait` for a lock. */
export type StatementWork = (database: Database, tx: Transaction, values: StatementValues) => readonly object[];

/** All statements that schedulers and the api send, by name. */
export const STATEMENTS: Readonly<Record<string, StatementWork>> = {
  ...commandStatements,
  ...readingStatements,
  ...decisionStatements,
  ...admissionStatements,
  ...keepingStatements,
};
