import type { Figure, Summary } from '../figures.ts';
import type { AuditVerdict } from '../flowforge/audit.ts';
import type { Verdict } from '../goals/criterion.ts';
import type { KnownPlan } from '../growth/plans.ts';

/** Everything that one call of the bench found out; the JSON file is this. */
export interface BenchResult {
  readonly at: string;
  readonly machine: string;
  readonly command: string;
  readonly rounds: number;
  readonly servers: Readonly<Record<string, string>>;
  /** Concurrency limits and quotas that the bench sets. */
  readonly limitsSet: Readonly<Record<string, string | number>>;
  readonly figures: readonly Figure[];
  readonly summaries: readonly Summary[];
  readonly goals: readonly Verdict[];
  readonly audits: readonly AuditVerdict[];
  /** Lines for the reader that no table holds: plans that were looked at, peers that could not be measured. */
  readonly notes: readonly string[];
  /** How the statements of the services are carried out where there is much history. */
  readonly plans?: readonly KnownPlan[];
}
