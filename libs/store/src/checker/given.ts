import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { Plan, PlanStep } from '#core';
import { GivenRun } from './given-run.ts';

/** Where the rows of a test are written. */
export interface GivenUrls {
  readonly ownerUrl: string;
  readonly apiUrl: string;
  readonly schedulerUrl: string;
}

/** A node of a test's plan: its needs by number, and what it differs in. */
export interface GivenPlanStep {
  readonly needs?: readonly number[];
  readonly uses?: string;
  readonly attempts?: number;
}

/** Rows for tests, written as the services' roles with legal moves only. `close` it. */
export class Given {
  readonly deployment = 'test-deployment';
  private readonly deploymentId = randomUUID();
  private readonly workflowId = randomUUID();
  private versions = 0;

  private constructor(
    readonly api: pg.Client,
    readonly scheduler: pg.Client,
  ) {}

  static async open({ apiUrl, schedulerUrl }: GivenUrls): Promise<Given> {
    const given = new Given(await connected(apiUrl), await connected(schedulerUrl));
    const { api, deploymentId, workflowId, deployment } = given;
    await api.query(`insert into work_pools (name, purpose) values ('test', 'tests')`);
    await api.query(`insert into deployments (id, name, pool, namespace) values ($1, $2, 'test', 'flowforge-test')`, [
      deploymentId,
      deployment,
    ]);
    await api.query(`insert into workflows (id, name, environment, created_by_id) values ($1, 'given', 'qa', 'tester')`, [workflowId]);
    return given;
  }

  /** A run that was submitted and nothing more. With a key, as one that the client may send again. */
  async submit(steps: readonly GivenPlanStep[], { key }: { key?: string } = {}): Promise<GivenRun> {
    const plan = planOf(steps);
    const version = await this.publish(plan);
    const { api } = this;
    const { rows } = await api.query<{ id: string }>('select flowforge_uuidv7() as id');
    const id = rows[0]?.id ?? '';
    await api.query('begin');
    if (key) await api.query(`insert into idempotency_keys (scope, key, body_hash, run_id) values ('tester', $1, '\\x00', $2)`, [key, id]);
    await api.query(
      `insert into workflow_runs (id, workflow_id, workflow_version, deployment_id, matched_by, created_by, state, version, cause_id, actor)
       values ($1, $2, $3, $4, 'default', 'tester', 'CREATED', 1, gen_random_uuid(), 'tester')`,
      [id, this.workflowId, version, this.deploymentId],
    );
    await api.query(`insert into run_inputs (run_id, input) values ($1, '{}')`, [id]);
    await api.query('insert into live_runs (run_id, remaining, deployment_id, workflow_id) values ($1, $2, $3, $4)', [
      id,
      plan.steps.length,
      this.deploymentId,
      this.workflowId,
    ]);
    await api.query('commit');
    return new GivenRun(id, plan, this);
  }

  /** A worker's session with room for four steps, whose lease ends in so many seconds. */
  async session(held: readonly { run: GivenRun; no: number }[], leaseSeconds = 60): Promise<string> {
    const session = randomUUID();
    await this.scheduler.query(
      `insert into worker_sessions (session, deployment_id, worker, concurrency, kinds, held_runs, held_steps, held_dispatches, expires_at)
       values ($1, $2, 'worker-1', 4, '{}', $3, $4, $5, clock_timestamp() + make_interval(secs => $6))`,
      [
        session,
        this.deploymentId,
        held.map(({ run }) => run.id),
        held.map(({ no }) => no),
        held.map(({ run, no }) => run.dispatchNoOf(no)),
        leaseSeconds,
      ],
    );
    return session;
  }

  async log(run: GivenRun, no: number, text: string): Promise<void> {
    await this.scheduler.query(
      `insert into workflow_run_logs (run_id, step_no, attempt, dispatch_no, line, at, level, text) values ($1, $2, 1, 1, 1, now(), 'info', $3)`,
      [run.id, no, text],
    );
  }

  async close(): Promise<void> {
    await Promise.all([this.api.end(), this.scheduler.end()]);
  }

  private async publish(plan: Plan): Promise<number> {
    this.versions += 1;
    await this.api.query(
      `insert into workflow_versions (workflow_id, version, checksum, definition, plan, source, created_by) values ($1, $2, $3, '{}', $4, '', 'tester')`,
      [this.workflowId, this.versions, randomUUID(), JSON.stringify(plan)],
    );
    return this.versions;
  }
}

/** A connection whose server may go away without ending the process. */
export async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

function planOf(steps: readonly GivenPlanStep[]): Plan {
  const dependents = (no: number) => steps.flatMap(({ needs = [] }, index) => (needs.includes(no) ? [index + 1] : []));
  const planned = steps.map(({ needs = [], uses = 'noop', attempts = 1 }, index): PlanStep => ({
    no: index + 1,
    name: `step-${index + 1}`,
    uses,
    needs,
    dependents: dependents(index + 1),
    condition: null,
    input: {},
    inputReads: null,
    retry: { attempts, backoffMs: 1000, factor: 2, maxBackoffMs: 60_000, jitter: 0, nonRetryable: [] },
    timeoutSeconds: 300,
  }));
  const roots = planned.filter(({ needs }) => needs.length === 0).map(({ no }) => no);
  return { steps: planned, roots, runTimeoutSeconds: null, priority: 0, concurrency: null };
}
