import type pg from 'pg';

/** What the rounds have submitted to one database, to be compared with what stands in it. */
export class Ledger {
  private runs = 0;
  private transitions = 0;

  /** A run makes three transitions, and each of its steps three. */
  submitted(runs: number, stepsPerRun: number): void {
    this.runs += runs;
    this.transitions += 3 * runs * (1 + stepsPerRun);
  }

  /** Reads back: every run ended well, and every transition stands in the audit exactly once. `before`: rows that stood there at the start. */
  async check(client: pg.Client, before: AuditCounts = { runs: 0, succeeded: 0, audit: 0 }): Promise<AuditVerdict> {
    const seen = await countAudit(client);
    const runs = seen.runs - before.runs;
    const succeeded = seen.succeeded - before.succeeded;
    const audit = seen.audit - before.audit;
    return {
      runsDue: this.runs,
      runs,
      succeeded,
      auditDue: this.transitions,
      audit,
      exact: audit === this.transitions && runs === this.runs && succeeded === this.runs,
    };
  }
}

export interface AuditCounts {
  readonly runs: number;
  readonly succeeded: number;
  readonly audit: number;
}

export interface AuditVerdict extends AuditCounts {
  readonly runsDue: number;
  readonly auditDue: number;
  readonly exact: boolean;
}

export async function countAudit(client: pg.Client): Promise<AuditCounts> {
  const { rows } = await client.query<{ runs: string; succeeded: string; audit: string }>(`
    select (select count(*) from workflow_runs) as runs, (select count(*) from workflow_runs where state = 'SUCCEEDED') as succeeded,
           (select count(*) from workflow_transition_audit) as audit`);
  const [row] = rows;
  return { runs: Number(row?.runs ?? 0), succeeded: Number(row?.succeeded ?? 0), audit: Number(row?.audit ?? 0) };
}
