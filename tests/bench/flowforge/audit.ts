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

  /** Reads back what was added after this run: every run ended well, and every transition stands in the audit exactly once. */
  async check(client: pg.Client, after = NO_RUN): Promise<AuditVerdict> {
    const seen = await countAudit(client, after);
    const exact = seen.audit === this.transitions && seen.runs === this.runs && seen.succeeded === this.runs;
    return { ...seen, runsDue: this.runs, auditDue: this.transitions, exact };
  }
}

/** The id before all others. */
const NO_RUN = '00000000-0000-0000-0000-000000000000';

export interface AuditVerdict {
  readonly runs: number;
  readonly succeeded: number;
  readonly audit: number;
  readonly runsDue: number;
  readonly auditDue: number;
  readonly exact: boolean;
}

/** The id of the newest run, or the one before all others. */
export async function newestRun(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ id: string }>('select id from workflow_runs order by id desc limit 1');
  return rows[0]?.id ?? NO_RUN;
}

async function countAudit(client: pg.Client, after: string): Promise<Pick<AuditVerdict, 'runs' | 'succeeded' | 'audit'>> {
  const { rows } = await client.query<{ runs: string; succeeded: string; audit: string }>(
    `select (select count(*) from workflow_runs where id > $1::uuid) as runs,
            (select count(*) from workflow_runs where id > $1::uuid and state = 'SUCCEEDED') as succeeded,
            (select count(*) from workflow_transition_audit where workflow_id > $1::uuid) as audit`,
    [after],
  );
  const [row] = rows;
  return { runs: Number(row?.runs ?? 0), succeeded: Number(row?.succeeded ?? 0), audit: Number(row?.audit ?? 0) };
}
