import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ApiUnderTest, publish, startApiUnderTest } from '../testing/api-harness.ts';

let under: ApiUnderTest;
let id: string;
beforeAll(async () => {
  under = await startApiUnderTest({ env: { SUBMIT_PENDING_MAX: '50' } });
  id = await publish(under, 'lost');
});
afterAll(() => under.close());

const start = (key?: string) =>
  under.ask('POST', `/api/v1/workflows/${id}/runs`, { body: {}, ...(key === undefined ? {} : { headers: { 'idempotency-key': key } }) });
/** Holds every insert of a run at its end, so that a test can break the session in between. */
const holdInserts = async () => {
  const client = await under.sql.connect();
  await client.query('begin; lock table live_runs in exclusive mode');
  return async () => {
    await client.query('commit');
    client.release();
  };
};
const waiting = async () =>
  Number(
    (
      await under.sql.query(
        `select count(*) from pg_stat_activity where application_name like 'flowforge-api-submit%' and wait_event_type = 'Lock'`,
      )
    ).rows[0].count,
  );
const breakSessions = () =>
  under.sql.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'flowforge-api-submit%'`);
const until = async (condition: () => Promise<boolean>): Promise<void> => {
  while (!(await condition())) await new Promise((resolve) => setImmediate(resolve));
};

describe('a submit whose session breaks', () => {
  it.each([undefined, 'a-key'])('starts each run once, nothing lost or doubled (key: %s)', async (key) => {
    const before = Number((await under.sql.query('select count(*) from workflow_runs')).rows[0].count);
    const release = await holdInserts();
    const answers = Promise.all(Array.from({ length: 10 }, (_, n) => start(key && `${key}-${n}`)));
    await until(async () => (await waiting()) > 0);
    await breakSessions();
    await release();
    const settled = await answers;
    expect(settled.map(({ status }) => status)).toEqual(settled.map(() => 201));
    const { rows } = await under.sql.query('select id from workflow_runs where id = any($1)', [settled.map(({ body }) => body.id)]);
    expect(rows).toHaveLength(10);
    expect(Number((await under.sql.query('select count(*) from workflow_runs')).rows[0].count)).toBe(before + 10);
  });

  it('is refused with 503 and Retry-After beyond SUBMIT_PENDING_MAX, and served again afterwards', async () => {
    const release = await holdInserts();
    let refused = 0;
    const answers = Array.from({ length: 80 }, async () => {
      const answer = await start();
      if (answer.status === 503) refused += 1;
      return answer;
    });
    // The others are held: only what is refused is answered before the release.
    await until(async () => refused === 30);
    const late = await start();
    expect([late.status, late.body.code, late.headers.get('retry-after')]).toEqual([503, 'api.busy', '1']);
    await release();
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(50);
    expect((await start()).status).toBe(201);
  });
});

describe('the role of the api', () => {
  it.each([
    [
      'moving a run by hand',
      `update workflow_runs set state = 'SUCCEEDED', version = version + 1, cause_id = gen_random_uuid(), ended_at = now()`,
    ],
    ['rewriting an audit row', `update workflow_transition_audit set actor = 'nobody'`],
    ['removing audit rows', 'delete from workflow_transition_audit'],
    ['removing runs', 'delete from workflow_runs'],
    ['changing a version', `update workflow_versions set source = ''`],
    ['touching steps', `update step_runs set state = 'SUCCEEDED'`],
    ['reading the hashes of keys through a role it has not', 'set role flowforge_owner'],
  ])('is refused %s', async (_, statement) => {
    const { default: pg } = await import('pg');
    const client = new pg.Client({ connectionString: under.database.apiUrl });
    await client.connect();
    await expect(client.query(statement)).rejects.toMatchObject({ code: '42501' });
    await client.end();
  });
});
