import type { ExitCode } from '../exit-codes.ts';

/** What doctor found out about one thing. `skipped`: could not be looked at, and need not be. */
export interface Check {
  readonly name: string;
  readonly status: 'ok' | 'warning' | 'failed' | 'skipped';
  readonly detail: string;
  readonly remedy: string | null;
  /** What the command ends with when this is the first check that failed. */
  readonly exitCode: ExitCode;
}
