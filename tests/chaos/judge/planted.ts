import { randomUUID } from 'node:crypto';
import pg from 'pg';

interface PlantedRun {
  readonly state: string;
  readonly key?: boolean;
  readonly retryOf?: string;
}

interface PlantedRow {
  readonly step: number;
  readonly version: number;
  readonly from: string | null;
  readonly to: string;
  readonly dispatch?: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** Rows as no service would write them: past the triggers, as superuser. */
export class Planted {
  private constructor(readonly client: pg.Client) {}

  static async open(superuserUrl: string): Promise<Planted> {
    const client = new pg.Client(superuserUrl);
    await client.connect();
    await client.query('set session_replication_role = replica');
    return new Planted(client);
  }

  async workflow(name: string): Promise<string> {
    const id = randomUUID();
    await this.client.query(`insert into workflows (id, name, created_by_id) values ($1, $2, 'tester')`, [id, name]);
    return id;
  }

  async run(workflowId: string, { state, key = true, retryOf }: PlantedRun): Promise<string> {
    const { rows } = await this.client.query<{ id: string }>('select flowforge_uuidv7()::text as id');
    const id = rows[0]?.id ?? '';
    await this.client.query(
      `insert into workflow_runs (id, workflow_id, workflow_version, deployment_id, matched_by, retry_of, created_by, state, version, cause_id, actor, ended_at)
       values ($1, $2, 1, gen_random_uuid(), 'default', $3, 'tester', $4::text::run_state, 1, gen_random_uuid(), 'tester',
               case when $4::text in ('SUCCEEDED', 'FAILED', 'CANCELLED', 'TIMED_OUT') then now() end)`,
      [id, workflowId, retryOf ?? null, state],
    );
    if (key)
      await this.client.query(`insert into idempotency_keys (scope, key, body_hash, run_id) values ('t', $1::text, '\\x00', $1::text::uuid)`, [
        id,
      ]);
    return id;
  }

  async step(runId: string, no: number, name: string, state: string): Promise<void> {
    await this.client.query(
      `insert into step_runs (run_id, step_no, name, state, version, epoch, timeout_seconds, cause_id, actor, ended_at)
       values ($1, $2, $3, $4::text::step_state, 1, 1, 60, gen_random_uuid(), 'tester', now())`,
      [runId, no, name, state],
    );
  }

  async audit(runId: string, rows: readonly PlantedRow[]): Promise<void> {
    for (const { step, version, from, to, dispatch, at } of rows) {
      await this.client.query(
        `insert into workflow_transition_audit (workflow_id, step_no, version, previous_state, new_state, cause_id, actor, dispatch_no, transitioned_at, created_at)
         values ($1, $2, $3, $4, $5, gen_random_uuid(), 'tester', $6, to_timestamp($7 / 1000.0), to_timestamp($7 / 1000.0))`,
        [runId, step, version, from, to, dispatch ?? null, at],
      );
    }
  }

  close(): Promise<void> {
    return this.client.end();
  }
}
