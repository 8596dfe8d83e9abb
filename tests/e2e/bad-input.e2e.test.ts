import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ErrorBody, paths } from '#contracts';
import { eventually, makeTestFolder } from '#testing';
import { SINGLE_STEP } from '../harness/definitions.ts';
import { LocalProfile } from '../harness/local-profile.ts';

/** Everything that a request can leave behind. */
const TABLES = [
  'workflows',
  'workflow_versions',
  'workflow_runs',
  'run_inputs',
  'live_runs',
  'step_runs',
  'step_waits',
  'timers',
  'idempotency_keys',
  'workflow_transition_audit',
  'api_keys',
] as const;
const NO_SUCH_ID = '018f0000-0000-7000-8000-000000000000';

const withSteps = (steps: string, spec = '') => `
apiVersion: flowforge/v1
kind: Workflow
metadata: { name: bad }
spec:
  environment: production
${spec}  steps:
${steps}`;
const withExpression = (expression: string) =>
  withSteps(`    a: { uses: noop }\n    b: { uses: noop, needs: [a], if: ${JSON.stringify(`\${{ ${expression} }}`)} }\n`);

/** A typed workflow whose concurrency key costs time in proportion to the square of the input. */
const TYPED = `
apiVersion: flowforge/v1
kind: Workflow
metadata: { name: typed }
spec:
  environment: production
  input: { type: object, properties: { n: { type: integer }, list: { type: array } }, additionalProperties: false }
  concurrency: { limit: 1, key: "\${{ string(default(input.list, []).all(a, default(input.list, []).all(b, a in input.list && b in input.list))) }}" }
  steps: { only: { uses: delay, with: { duration: 1h } } }
`;

describe('bad input is refused with what, where and remedy, and leaves nothing half-written', () => {
  let folder: string;
  let local: LocalProfile;
  let owner: pg.Client;
  let single: string;
  let typed: string;
  let endedRun: string;

  beforeAll(async () => {
    folder = await makeTestFolder('bad-input');
    local = await LocalProfile.start(join(folder, 'data'));
    owner = new pg.Client(local.databaseUrl);
    await owner.connect();
    single = await local.api.apply(SINGLE_STEP);
    typed = await local.api.apply(TYPED);
    endedRun = await local.api.run(single);
    await local.api.ended(endedRun);
  }, 60_000);
  afterAll(async () => {
    await owner?.end();
    await local?.process.kill();
    await rm(folder, { recursive: true, force: true });
  }, 30_000);

  async function rowCounts(): Promise<unknown> {
    const { rows } = await owner.query(`select ${TABLES.map((table) => `(select count(*)::int from ${table}) as ${table}`).join(', ')}`);
    return rows[0];
  }

  /** Sends it, and checks what holds for every refusal. */
  async function refused(method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) {
    const before = await rowCounts();
    const answer = await local.api.request<unknown>(method, path, body, headers);
    expect(await rowCounts()).toEqual(before);
    const error = ErrorBody.parse(answer.body);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expect(error.code).toMatch(/^[a-z_]+(\.[a-z_]+)+$/);
    expect(error.message).not.toBe('');
    expect(error.remedy).toEqual(expect.stringMatching(/\w/));
    expect(error.requestId).not.toBe('');
    const faults: unknown = error.details['faults'];
    return { status: answer.status, code: error.code, details: error.details, fault: Array.isArray(faults) ? faults[0] : undefined };
  }
  const apply = (source: string) => refused('POST', paths.workflows, { source, file: 'bad.yaml' });

  describe('a definition', () => {
    it.each([
      ['malformed YAML', 'apiVersion: flowforge/v1\nkind: Workflow\nmetadata: {name: x\nspec:', /^definition\.yaml/, expect.any(String)],
      [
        'a cycle',
        withSteps('    a: { uses: noop, needs: [b] }\n    b: { uses: noop, needs: [a] }\n'),
        /^definition\.cycle$/,
        expect.any(String),
      ],
      ['an unknown step kind', withSteps('    a: { uses: htttp }\n'), /^definition\.step_kind_unknown$/, 'spec.steps.a.uses'],
    ])('with %s: file, line, path', async (_, source, code, path) => {
      const seen = await apply(source);

      expect([seen.status, seen.code]).toEqual([422, 'definition.invalid']);
      expect(seen.fault).toMatchObject({
        code: expect.stringMatching(code),
        file: 'bad.yaml',
        line: expect.any(Number),
        path,
        message: expect.stringMatching(/\w/),
        remedy: expect.stringMatching(/\w/),
      });
    });

    it.each([
      ['size', `${'1 + '.repeat(1_000)}1 > 0`],
      ['depth', `${'('.repeat(500)}1${')'.repeat(500)} > 0`],
      ['regex', `"a".matches("${'(a|b|c{1,100})'.repeat(200)}")`],
      ['macros', '[1].all(a, [1].all(b, [1].all(c, a + b + c > 0)))'],
    ])('with an expression that explodes in %s, before it is ever evaluated', async (_, expression) => {
      const { status, fault } = await apply(withExpression(expression));

      expect(status).toBe(422);
      expect(fault).toMatchObject({
        code: expect.stringMatching(/^definition\.(expression|macro)_/),
        path: 'spec.steps.b.if',
        line: expect.any(Number),
        remedy: expect.stringMatching(/\w/),
      });
    });

    it('that is longer than a definition may be', async () => {
      expect(await apply(`${SINGLE_STEP}\n# ${'x'.repeat(1_100_000)}`)).toMatchObject({ status: 400, code: 'api.body_invalid' });
      expect(await apply('x'.repeat(4 << 20))).toMatchObject({ status: 413, code: 'api.body_too_large' });
    });
  });

  describe('a start', () => {
    it('whose expression explodes in time', async () => {
      const list = Array.from({ length: 4_000 }, (_, at) => at);

      const seen = await refused('POST', paths.workflowRuns(typed), { input: { list } });

      expect(seen).toMatchObject({ status: 422, code: 'run.concurrency_key_invalid', details: { cause: 'expression.timeout' } });
    });

    it('with a wrong type in its input, alone and under an idempotency key', async () => {
      expect(await refused('POST', paths.workflowRuns(typed), { input: { n: 'one' } })).toMatchObject({
        status: 422,
        code: 'run.input_invalid',
        fault: { path: expect.stringContaining('n') },
      });
      expect((await refused('POST', paths.workflowRuns(typed), { input: { n: 'one' } }, { 'idempotency-key': 'wrong' })).status).toBe(422);
    });

    it.each([
      ['a body over the bound', { input: { n: 'x'.repeat(3 << 20) } }, 413, 'api.body_too_large'],
      ['an input over the bound', { input: { n: 'x'.repeat(300 << 10) } }, 413, 'run.input_too_large'],
      ['an input that is no object', { input: 5 }, 400, 'api.body_invalid'],
      ['a field that nobody knows', { inputs: {} }, 400, 'api.body_invalid'],
    ])('with %s', async (_, body, status, code) => {
      expect(await refused('POST', paths.workflowRuns(single), body)).toMatchObject({ status, code });
    });
  });

  describe('an id and a state', () => {
    it.each([
      ['a run of an unknown workflow', 'POST', paths.workflowRuns(NO_SUCH_ID), {}, 404, 'workflow.unknown'],
      ['an unknown run', 'GET', paths.run(NO_SUCH_ID), undefined, 404, 'run.unknown'],
      ['an id that is none', 'GET', paths.run("x' or 1=1"), undefined, 404, 'run.unknown'],
      ['the cancel of an unknown run', 'POST', paths.cancel(NO_SUCH_ID), {}, 404, 'run.unknown'],
      ['an unknown path', 'GET', '/api/v1/nothing', undefined, 404, 'api.route_unknown'],
    ])('%s', async (_, method, path, body, status, code) => {
      expect(await refused(method, path, body)).toMatchObject({ status, code });
    });

    it('the cancel of a run that has ended', async () => {
      const seen = await refused('POST', paths.cancel(endedRun), {});

      expect([seen.status, seen.code]).toEqual([409, 'run.state_conflict']);
      expect(JSON.stringify(seen.details)).toContain('SUCCEEDED');
    });

    it('the retry of a run that is under way', async () => {
      const runId = await local.api.run(typed);
      await local.api.reaches(runId, 'WAITING');

      expect((await refused('POST', paths.retry(runId), {})).status).toBe(409);

      await local.api.request('POST', paths.cancel(runId), {});
      expect((await local.api.ended(runId)).state).toBe('CANCELLED');
    });
  });

  describe('a token', () => {
    it.each([
      ['none', '', 'auth.token_missing'],
      ['one that was forged', `Bearer ff_${'A'.repeat(43)}`, 'auth.token_invalid'],
      ['one of another scheme', 'Basic YWRtaW46YWRtaW4=', 'auth.token_missing'],
    ])('%s', async (_, authorization, code) => {
      const seen = await refused('POST', paths.workflowRuns(single), {}, { authorization });

      expect([seen.status, seen.code]).toEqual([401, code]);
    });

    it('one that has expired', async () => {
      const expiresAt = new Date(Date.now() + 1_500).toISOString();
      const made = await local.api.request<{ key: string }>('POST', paths.apiKeys, { name: 'short', role: 'operator', expiresAt });
      expect(made.status).toBe(201);
      const authorization = `Bearer ${made.body.key}`;
      const asked = () => local.api.request<ErrorBody>('GET', paths.runs, undefined, { authorization });
      expect((await asked()).status).toBe(200);

      await eventually(async () => (await asked()).status === 401, { within: 10_000, what: 'the token to expire' });

      const seen = await refused('POST', paths.workflowRuns(single), {}, { authorization });
      expect([seen.status, seen.code]).toEqual([401, 'auth.token_expired']);
    });
  });
});
