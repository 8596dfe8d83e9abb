import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AppliedWorkflow, Workflow, WorkflowPage, WorkflowVersion, WorkflowVersionPage } from '#contracts';
import { type ApiUnderTest, definition, publish, startApiUnderTest, startRun } from '../testing/api-harness.ts';

let under: ApiUnderTest;
beforeAll(async () => (under = await startApiUnderTest()));
afterAll(() => under.close());
const apply = (body: unknown) => under.ask('POST', '/api/v1/workflows', { body });
const get = async (path: string) => (await under.ask('GET', path)).body;

const yaml = (name: string, extra = '') => `# a comment
apiVersion: flowforge/v1
kind: Workflow
metadata: { name: ${name}, labels: { domain: sales }, category: etl }
spec:
  environment: qa${extra}
  steps:
    only: { uses: noop }
`;

describe('publishing', () => {
  it('makes a workflow, keeps it for the same meaning, makes versions for others, and brings an older one back', async () => {
    const created = await apply({ source: yaml('orders') });
    expect([created.status, AppliedWorkflow.parse(created.body).outcome, created.body.version]).toEqual([201, 'created', 1]);
    expect(created.body.workflow).toMatchObject({
      name: 'orders',
      environment: 'qa',
      team: null,
      category: 'etl',
      labels: { domain: 'sales' },
      createdBy: 'admin',
      enabled: true,
    });
    const unchanged = await apply({ source: `${yaml('orders')}# another comment\n` });
    expect([unchanged.status, unchanged.body.outcome, unchanged.body.version]).toEqual([200, 'unchanged', 1]);
    const next = await apply({ source: yaml('orders', '\n  priority: 1') });
    expect([next.status, next.body.outcome, next.body.version]).toEqual([201, 'new_version', 2]);
    const restored = await apply({ source: yaml('orders') });
    expect([restored.status, restored.body.outcome, restored.body.version, restored.body.workflow.currentVersion]).toEqual([
      200,
      'restored',
      1,
      1,
    ]);
    const third = await apply({ source: yaml('orders', '\n  priority: 2') });
    expect([third.body.outcome, third.body.version]).toEqual(['new_version', 3]);
    const { id } = created.body.workflow;
    const versions = WorkflowVersionPage.parse(await get(`/api/v1/workflows/${id}/versions?limit=2`));
    expect(versions.items.map(({ version }) => version)).toEqual([3, 2]);
    expect(
      (await get(`/api/v1/workflows/${id}/versions?cursor=${versions.nextCursor}`)).items.map(
        ({ version }: { version: number }) => version,
      ),
    ).toEqual([1]);
    const version = WorkflowVersion.parse(await get(`/api/v1/workflows/${id}/versions/1`));
    expect([version.source, version.definition]).toEqual([yaml('orders'), expect.objectContaining({ kind: 'Workflow' })]);
    expect((await get(`/api/v1/workflows/${id}/versions/9`)).code).toBe('version.unknown');
  });

  it('takes the text alone as application/yaml', async () => {
    const headers = { 'content-type': 'application/yaml' };
    const dry = await under.ask('POST', '/api/v1/workflows?dryRun=true', { raw: yaml('alone'), headers });
    expect([dry.status, dry.body.outcome, dry.body.workflow]).toEqual([200, 'created', null]);
    expect((await under.ask('POST', '/api/v1/workflows', { raw: yaml('alone'), headers })).status).toBe(201);
    const faulty = await under.ask('POST', '/api/v1/workflows?file=a.yaml', { raw: 'kind: [', headers });
    expect(faulty.body.details.faults[0]).toMatchObject({ file: 'a.yaml', line: expect.any(Number) });
  });

  it('writes nothing in a dry run', async () => {
    const id = await publish(under, 'dry');
    const dry = await apply({ definition: definition('dry', { priority: 3 }), dryRun: true });
    expect([dry.status, dry.body.outcome, dry.body.version, dry.body.dryRun]).toEqual([200, 'new_version', 2, true]);
    expect(Workflow.parse(await get(`/api/v1/workflows/${id}`)).currentVersion).toBe(1);
  });

  it('makes one version of 20 concurrent publishes of one text, and one each of 10 different ones', async () => {
    const same = await Promise.all(Array.from({ length: 20 }, () => apply({ source: yaml('race') })));
    expect(same.filter(({ status }) => status === 201)).toHaveLength(1);
    const different = await Promise.all(Array.from({ length: 10 }, (_, n) => apply({ source: yaml('race', `\n  priority: ${n + 1}`) })));
    expect(different.map(({ body }) => body.version).toSorted((a, b) => a - b)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });

  it('tells workflows of one name apart by environment and team', async () => {
    const ids = [
      await publish(under, 'twice', { environment: 'qa' }),
      await publish(under, 'twice', { environment: 'qa', team: 'finance' }),
      await publish(under, 'twice', { environment: null }),
    ];
    expect(new Set(ids).size).toBe(3);
    const { body } = await under.ask('POST', `/api/v1/workflows/${ids[2]}/runs`, { body: {} });
    expect([body.environment, body.matchedBy]).toEqual([null, 'default']);
  });
});

describe('workflows', () => {
  it('are listed by environment, team, category, labels and whether they are enabled', async () => {
    const id = await publish(under, 'listed', { environment: 'development', team: 'marketing' });
    const names = async (query: string) => WorkflowPage.parse(await get(`/api/v1/workflows?${query}`)).items.map(({ name }) => name);
    expect(await names('environment=development&team=marketing')).toEqual(['listed']);
    await under.ask('PATCH', `/api/v1/workflows/${id}`, { body: { enabled: false, category: 'special', labels: { a: '1', b: '2' } } });
    expect(await names('enabled=false')).toEqual(['listed']);
    expect(await names('category=special')).toEqual(['listed']);
    expect(await names('label=a:1&label=b:2')).toEqual(['listed']);
    expect(await names('label=a:1&label=b:3')).toEqual([]);
  });

  it('use the index of environment and team', async () => {
    const { rows } = await under.sql.query(
      `select indexdef from pg_indexes where indexname in ('idx_workflows_environment', 'idx_workflows_team', 'idx_workflows_env_team')`,
    );
    expect(rows).toHaveLength(3);
  });

  it('move to another environment and team from the next run on', async () => {
    const id = await publish(under, 'moving', { environment: 'development' });
    const before = await startRun(under, id);
    const { body } = await under.ask('PATCH', `/api/v1/workflows/${id}`, { body: { environment: 'production', team: 'finance' } });
    expect([body.environment, body.team]).toEqual(['production', 'finance']);
    const after = await startRun(under, id);
    expect((await get(`/api/v1/runs/${before}`)).deployment.name).toBe('flowforge-medallion/development');
    expect((await get(`/api/v1/runs/${after}`)).deployment.name).toBe('flowforge-medallion/production-finance');
    const change = under.lines
      .map((line) => JSON.parse(line))
      .find(({ msg, workflowId }) => msg === 'workflow changed' && workflowId === id);
    expect(change).toMatchObject({
      actor: 'admin',
      from: { environment: 'development', team: null },
      change: { environment: 'production', team: 'finance' },
    });
  });

  it('do not move onto one of the same name, or to where nothing is', async () => {
    const id = await publish(under, 'taken', { environment: 'development' });
    await publish(under, 'taken', { environment: 'uat' });
    const move = async (environment: string) => (await under.ask('PATCH', `/api/v1/workflows/${id}`, { body: { environment } })).body.code;
    expect(await move('uat')).toBe('workflow.name_taken');
    expect(await move('prod')).toBe('environment.unknown');
    expect(
      (await under.ask('PATCH', '/api/v1/workflows/018f0000-0000-7000-8000-000000000000', { body: { enabled: true } })).body.code,
    ).toBe('workflow.unknown');
  });
});
