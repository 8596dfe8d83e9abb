import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { idAt, momentOf, type Plan } from '#core';
import { HotConnection, type NewRun, type RunTarget, cancelRun, submitRuns, takeRunIds } from '#store';
import { type CheckOptions, checkInvariants } from '../../../store/src/checker/check-invariants.ts';
import type { TestDatabase } from '../database.ts';
import { aPlan } from './plan.ts';

export interface GivenDeployment {
  readonly id: string;
  readonly name: string;
}

/** A run as the api submits it, where the test says nothing else: of its own workflow, in the default deployment. */
export interface GivenRunOptions {
  readonly plan?: Plan;
  readonly deployment?: GivenDeployment;
  readonly team?: string;
  readonly input?: unknown;
  readonly priority?: number;
  readonly timeoutSeconds?: number;
  readonly concurrencyKey?: string;
  readonly concurrencyLimit?: number;
  readonly retryOf?: string;
  /** The ids were made so long before the runs are committed. */
  readonly idsOlderByMs?: number;
}

/** One row of the audit, as tests compare it. */
export interface AuditRow {
  readonly step: number;
  readonly version: number;
  readonly from: string | null;
  readonly to: string;
}

const singleStep = aPlan({ only: {} });

/** Rows that the api would have written, and a look at what became of them. `close` it. */
export class GivenRows {
  private readonly workflows = new Map<Plan, { id: string; version: number }>();
  private defaultDeployment: GivenDeployment | null = null;
  private count = 0;

  private constructor(
    private readonly database: TestDatabase,
    private readonly api: HotConnection,
    /** Logged in as superuser: reads whatever a test asks, and plants what no service may. */
    readonly sql: pg.Client,
  ) {}

  static async open(database: TestDatabase): Promise<GivenRows> {
    const sql = new pg.Client({ connectionString: database.superuserUrl, application_name: 'given' });
    sql.on('error', () => undefined);
    await sql.connect();
    return new GivenRows(database, new HotConnection(database.apiUrl, 'given'), sql);
  }

  async close(): Promise<void> {
    await Promise.all([this.api.close(), this.sql.end()]);
  }

  /** `limit`: runs that may be RUNNING at once; null leaves it to the installation's default. */
  async deployment({
    name = `deployment-${(this.count += 1)}`,
    limit = null,
  }: { name?: string; limit?: number | null } = {}): Promise<GivenDeployment> {
    const id = randomUUID();
    await this.sql.query(`insert into work_pools (name, purpose) values ('test', 'tests') on conflict do nothing`);
    await this.sql.query(`insert into environments (name) values ($1) on conflict do nothing`, [name]);
    await this.sql.query(
      `insert into deployments (id, name, pool, environment, namespace, concurrency_limit) values ($1, $2, 'test', $2, 'flowforge-test', $3)`,
      [id, name, limit],
    );
    return { id, name };
  }

  async team(name: string, { limit = null, weight = 1 }: { limit?: number | null; weight?: number } = {}): Promise<string> {
    await this.sql.query('insert into teams (name, concurrency_limit, weight) values ($1, $2, $3)', [name, limit, weight]);
    return name;
  }

  async run(options: GivenRunOptions = {}): Promise<string> {
    const [id = ''] = await this.runs(1, options);
    return id;
  }

  /** Submits this many runs in one statement, as a group of the api. */
  async runs(count: number, options: GivenRunOptions = {}): Promise<string[]> {
    const target = await this.targetOf(options);
    const { idsOlderByMs = 0 } = options;
    const ids = (await takeRunIds(this.api, count)).map((id) => idAt(momentOf(id) - idsOlderByMs, id));
    const { input = {}, retryOf = null, concurrencyKey = null } = options;
    const common = { target, inputJson: JSON.stringify(input), actor: 'tester', retryOf, concurrencyKey, reason: null };
    await submitRuns(
      this.api,
      ids.map((id): NewRun => ({ id, ...common })),
    );
    return ids;
  }

  /** Asks for a cancel, as the api does. Returns whether it came in time. */
  async cancel(runId: string): Promise<boolean> {
    const outcome = await cancelRun(this.api, { runId, actor: 'tester', reason: null, expectedVersion: null });
    return outcome?.moved ?? false;
  }

  private async targetOf(options: GivenRunOptions): Promise<RunTarget> {
    const plan = options.plan ?? singleStep;
    const workflow = await this.workflowOf(plan);
    const { id } = options.deployment ?? (this.defaultDeployment ??= await this.deployment());
    return {
      workflowId: workflow.id,
      workflowVersion: workflow.version,
      environment: null,
      team: options.team ?? null,
      deploymentId: id,
      matchedBy: 'default',
      stepCount: plan.steps.length,
      timeoutSeconds: options.timeoutSeconds ?? plan.runTimeoutSeconds,
      priority: options.priority ?? plan.priority,
      concurrencyLimit: options.concurrencyLimit ?? plan.concurrency?.limit ?? null,
    };
  }

  private async workflowOf(plan: Plan): Promise<{ id: string; version: number }> {
    const known = this.workflows.get(plan);
    if (known) return known;
    const workflow = { id: randomUUID(), version: 1 };
    this.workflows.set(plan, workflow);
    await this.sql.query(
      `insert into workflows (id, name, environment, created_by_id, current_version) values ($1, $2, 'qa', 'tester', 1)`,
      [workflow.id, `given-${this.workflows.size}`],
    );
    await this.sql.query(
      `insert into workflow_versions (workflow_id, version, checksum, definition, plan, source, created_by) values ($1, 1, $2, '{}', $3, '', 'tester')`,
      [workflow.id, randomUUID(), JSON.stringify(plan)],
    );
    return workflow;
  }

  /** The run's state, and those of its steps by name; a step without a row is missing. */
  async statesOf(runId: string): Promise<{ run: string; steps: Record<string, string> }> {
    const [run] = await this.rows<{ state: string }>('select state::text from workflow_runs where id = $1', [runId]);
    const steps = await this.rows<{ name: string; state: string }>(
      'select name, state::text from step_runs where run_id = $1 order by step_no',
      [runId],
    );
    return { run: run?.state ?? 'none', steps: Object.fromEntries(steps.map(({ name, state }) => [name, state])) };
  }

  async stepOf(runId: string, stepNo = 1): Promise<Record<string, unknown>> {
    const [row] = await this.rows<Record<string, unknown>>(
      'select *, state::text as state from step_runs where run_id = $1 and step_no = $2',
      [runId, stepNo],
    );
    return row ?? {};
  }

  /** In the order in which it was written. */
  auditOf(runId: string): Promise<AuditRow[]> {
    return this.rows(
      `select step_no as step, version, previous_state as "from", new_state as "to" from workflow_transition_audit where workflow_id = $1 order by seq`,
      [runId],
    );
  }

  /** How many runs are in each state. */
  async runStates(): Promise<Record<string, number>> {
    const rows = await this.rows<{ state: string; count: number }>(
      'select state::text, count(*)::int as count from workflow_runs group by 1 order by 1',
      [],
    );
    return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
  }

  async rows<Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.sql.query(text, [...values])).rows as Row[];
  }

  /** What the checker finds broken, in short. */
  async faults(options: CheckOptions = {}): Promise<string[]> {
    const client = new pg.Client({ connectionString: this.database.schedulerUrl });
    await client.connect();
    try {
      const { invariants } = await checkInvariants(client, options);
      return invariants.flatMap(({ findings }) =>
        findings.map(({ code, subject, details }) => `${code} ${subject} ${JSON.stringify(details)}`),
      );
    } finally {
      await client.end();
    }
  }
}
