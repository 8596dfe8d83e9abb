import { admissionStatements } from './statements-admission.ts';
import { commandStatements } from './statements-commands.ts';
import { decisionStatements } from './statements-decisions.ts';
import { keepingStatements } from './statements-keeping.ts';
import { readingStatements } from './statements-reading.ts';
import type { StatementWork } from './statement-work.ts';

/** All statements that schedulers and the api send, by name. */
export const STATEMENTS: Readonly<Record<string, StatementWork>> = {
  ...commandStatements,
  ...readingStatements,
  ...decisionStatements,
  ...admissionStatements,
  ...keepingStatements,
};
