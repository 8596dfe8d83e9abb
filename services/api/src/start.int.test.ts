import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { Deployment, Health, Resolution } from '#contracts';
import { RUN_GRAPH } from '#core';
import { DEFAULT_DEPLOYMENTS, DEFAULT_POOLS } from '#store';
import { type TestDatabase, cloneDatabase, eventually } from '#testing';
import { type ApiUnderTest, startApiUnderTest } from './testing/api-harness.ts';

describe('starting the api', () => {
  let database: TestDatabase;
  let owner: pg.Client;
  beforeAll(async () => {
    database = await cloneDatabase();
    owner = new pg.Client({ connectionString: database.superuserUrl });
    await owner.connect();
  });
  afterAll(async () => {
    await owner.end();
    await database.drop();
  });

  it('validates the graphs and says so', async () => {
    const under = await startApiUnderTest({ database });
    expect(under.lines.map((line) => JSON.parse(line).msg)).toContain('Workflow graph validation: true');
    await under.close();
  });

  it.each([
    [
      'an edge less',
      `delete from run_edges where leaves = 'CREATED' and enters = 'QUEUED'`,
      `insert into run_edges values ('CREATED', 'QUEUED')`,
      'CREATED → QUEUED',
    ],
    [
      'an edge more',
      `insert into step_edges values ('SUCCEEDED', 'RUNNING')`,
      `delete from step_edges where leaves = 'SUCCEEDED'`,
      'SUCCEEDED → RUNNING',
    ],
  ])('refuses a database with %s than declared, naming it', async (_, corrupt, mend, edge) => {
    expect(RUN_GRAPH.states.length).toBeGreaterThan(0);
    await owner.query(corrupt);
    await expect(startApiUnderTest({ database })).rejects.toThrow(new RegExp(`Workflow graph validation failed.*${edge}`));
    await owner.query(mend);
  });

  it('says that the migrations are missing', async () => {
    await owner.query('alter table run_edges rename to elsewhere');
    await expect(startApiUnderTest({ database })).rejects.toMatchObject({ code: 'database.not_migrated' });
    await owner.query('alter table elsewhere rename to run_edges');
  });

  it('is safe to do three times at once', async () => {
    const all = await Promise.all([startApiUnderTest({ database }), startApiUnderTest({ database }), startApiUnderTest({ database })]);
    expect((await owner.query('select count(*)::int as n from deployments')).rows).toEqual([{ n: DEFAULT_DEPLOYMENTS.length }]);
    await Promise.all(all.map((one) => one.close()));
  });

  it('refuses another ID for a deployment that exists', async () => {
    const env = { FLOWFORGE_DEPLOYMENT_QA: '11111111-1111-4111-8111-111111111111' };
    await expect(startApiUnderTest({ database, env })).rejects.toMatchObject({ code: 'deployment.id_changed' });
  });
});

describe('a fresh install', () => {
  let under: ApiUnderTest;
  beforeAll(async () => (under = await startApiUnderTest()));
  afterAll(() => under.close());

  it('has five pools and the deployments with their IDs', async () => {
    expect((await under.sql.query('select name, purpose from work_pools order by name')).rows).toEqual(
      DEFAULT_POOLS.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    );
    const { items } = (await under.ask('GET', '/api/v1/deployments')).body;
    expect(items.map((item: unknown) => Deployment.parse(item).id).toSorted()).toEqual(DEFAULT_DEPLOYMENTS.map(({ id }) => id).toSorted());
  });

  it('resolves through three tiers and says which rules were tried', async () => {
    const resolve = async (query: string) => Resolution.parse((await under.ask('GET', `/api/v1/deployments/resolve?${query}`)).body);
    expect(await resolve('environment=production&team=finance')).toMatchObject({
      matchedBy: 'team',
      deployment: { id: 'ae5f30cf-d05e-48e6-83b3-36107914f782' },
    });
    expect(await resolve('environment=uat&team=finance')).toMatchObject({
      matchedBy: 'environment',
      tried: [
        { key: 'UAT_FINANCE', found: false },
        { key: 'UAT', found: true },
      ],
    });
    expect(await resolve('')).toMatchObject({ matchedBy: 'default', deployment: { id: '2667a424-53c6-4476-b0fb-e2cbeef374ab' } });
    expect(await resolve('team=finance')).toMatchObject({ environment: 'production', matchedBy: 'team' });
  });

  it('is healthy, ready, and not ready without PostgreSQL, healing by itself', async () => {
    for (const path of ['/health', '/ready', '/api/health/workflows']) {
      const { status, body } = await under.ask('GET', path, { token: null });
      expect([path, status, Health.parse(body).status]).toEqual([path, 200, 'ok']);
    }
    const name = under.database.name;
    const admin = new pg.Client({ connectionString: under.database.superuserUrl.replace(name, 'postgres') });
    await admin.connect();
    await admin.query(`alter database ${name} allow_connections false`);
    await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and usename = 'flowforge_api'`, [name]);
    const readiness = async () => (await under.ask('GET', '/ready', { token: null })).status;
    await eventually(async () => (await readiness()) === 503, { what: 'readiness to be red' });
    const away = await under.ask('GET', '/api/v1/runs');
    expect([away.status, away.headers.get('retry-after')]).toEqual([503, '1']);
    await admin.query(`alter database ${name} allow_connections true`);
    await admin.end();
    await eventually(async () => (await readiness()) === 200, { what: 'readiness to be green' });
    expect((await under.ask('GET', '/api/v1/runs')).status).toBe(200);
  });
});
