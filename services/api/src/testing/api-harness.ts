import { createMetrics, createLogger, parseConfig } from '#telemetry';
import { type TenancyConfig, readTenancyConfig } from '#store';
import { type TestDatabase, cloneDatabase } from '#testing';
import { InProcessHub, InProcessPubSubClient, InProcessPubSubServer } from '#transport';
import pg from 'pg';
import { ApiConfig } from '../config.ts';
import { type RunningApi, startApi } from '../start-api.ts';

/** The admin key of the API under test. */
export const ADMIN_TOKEN = 'an-admin-token-for-tests-of-the-api-only';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // Answers are looked at by the expectations, which check their shape.
  // eslint-disable-next-line typescript/no-explicit-any
  readonly body: any;
}

export interface Ask {
  readonly body?: unknown;
  /** Sent as it is. */
  readonly raw?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  /** Null: none. */
  readonly token?: string | null;
}

/** The api, logged in as its own role, on a database of its own. */
export interface ApiUnderTest {
  readonly api: RunningApi;
  readonly database: TestDatabase;
  /** The database as its owner's superuser, to look and to arrange. */
  readonly sql: pg.Pool;
  readonly hub: InProcessHub;
  readonly lines: readonly string[];
  ask(method: string, path: string, ask?: Ask): Promise<Answer>;
  close(): Promise<void>;
}

export async function startApiUnderTest({
  env = {},
  database,
  hub = new InProcessHub(),
}: { env?: Record<string, string>; database?: TestDatabase; hub?: InProcessHub } = {}): Promise<ApiUnderTest> {
  const own = database ?? (await cloneDatabase());
  const sql = new pg.Pool({ connectionString: own.superuserUrl, max: 4 });
  sql.on('error', () => {});
  const lines: string[] = [];
  const config = parseConfig(ApiConfig, {
    NODE_ENV: 'test',
    DATABASE_URL: own.apiUrl,
    PORT: '0',
    HOST: '127.0.0.1',
    SHUTDOWN_SECONDS: '2',
    FLOWFORGE_ADMIN_TOKEN: ADMIN_TOKEN,
    ...env,
  });
  const tenancy: TenancyConfig = readTenancyConfig(env);
  const logger = await createLogger({ service: 'api', destination: { write: (line: string) => void lines.push(line) } });
  const events = new InProcessPubSubClient(hub);
  const api = await startApi({
    config,
    tenancy,
    logger,
    metrics: createMetrics('api'),
    events,
    eventsServer: new InProcessPubSubServer(hub),
  });
  return {
    api,
    database: own,
    sql,
    hub,
    lines,
    ask: (method, path, ask) => askAt(api.url, method, path, ask),
    close: async () => {
      await api.close();
      await sql.end();
      if (!database) await own.drop();
    },
  };
}

/** One request, its answer read whole. */
export async function askAt(
  url: string,
  method: string,
  path: string,
  { body, raw, headers = {}, token = ADMIN_TOKEN }: Ask = {},
): Promise<Answer> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body === undefined && raw === undefined ? {} : { body: raw ?? JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text,
  };
}

/** A definition with these steps; one `noop` unless told. */
export function definition(name: string, spec: Record<string, unknown> = {}): Record<string, unknown> {
  return { apiVersion: 'flowforge/v1', kind: 'Workflow', metadata: { name }, spec: { steps: { only: { uses: 'noop' } }, ...spec } };
}

/** Publishes it and returns the workflow's id. */
export async function publish({ ask }: ApiUnderTest, name: string, spec?: Record<string, unknown>): Promise<string> {
  const { status, body } = await ask('POST', '/api/v1/workflows', { body: { definition: definition(name, spec) } });
  if (status >= 300) throw new Error(`publishing ${name} was answered ${status}: ${JSON.stringify(body)}`);
  return body.workflow.id;
}

/** Starts a run and returns its id. */
export async function startRun({ ask }: ApiUnderTest, workflowId: string, input: unknown = {}): Promise<string> {
  const { status, body } = await ask('POST', `/api/v1/workflows/${workflowId}/runs`, { body: { input } });
  if (status !== 201) throw new Error(`starting was answered ${status}: ${JSON.stringify(body)}`);
  return body.id;
}

/** Moves a run as a scheduler would. Ending it takes its live row along. */
export async function moveRun({ sql }: ApiUnderTest, runId: string, ...states: readonly string[]): Promise<void> {
  for (const state of states) {
    const ended = ['SUCCEEDED', 'FAILED', 'CANCELLED', 'TIMED_OUT'].includes(state);
    await sql.query(
      `with live as (update live_runs set rev = rev + 1, phase = case $2 when 'RUNNING' then 'running' else phase end, began = true where run_id = $1 returning run_id)
       update workflow_runs set state = $2::run_state, via = null, version = version + 1, cause_id = gen_random_uuid(), actor = 'scheduler', reason = null,
              changed_at = clock_timestamp(), started_at = coalesce(started_at, clock_timestamp()), ended_at = case when $3 then clock_timestamp() end where id = $1`,
      [runId, state, ended],
    );
    if (ended) await sql.query('delete from live_runs where run_id = $1', [runId]);
  }
}

/** Gives a step its row, or moves it. */
export async function moveStep(
  { sql }: ApiUnderTest,
  runId: string,
  stepNo: number,
  name: string,
  ...states: readonly string[]
): Promise<void> {
  for (const state of states) {
    const ended = ['SUCCEEDED', 'FAILED', 'CANCELLED', 'TIMED_OUT', 'SKIPPED'].includes(state);
    await sql.query(
      `with moved as (
         update step_runs set state = $4::step_state, version = version + 1, cause_id = gen_random_uuid(), changed_at = clock_timestamp(),
                started_at = coalesce(started_at, clock_timestamp()), ended_at = case when $5 then clock_timestamp() end
          where run_id = $1 and step_no = $2 returning 1)
       insert into step_runs (run_id, step_no, name, state, version, epoch, dispatch_no, timeout_seconds, cause_id, actor, ended_at)
       select $1, $2, $3, $4::step_state, 1, 1, 1, 60, gen_random_uuid(), 'scheduler', case when $5 then clock_timestamp() end where not exists (select from moved)`,
      [runId, stepNo, name, state, ended],
    );
  }
}
