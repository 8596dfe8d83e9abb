import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ErrorBody } from '#contracts';
import { type ApiUnderTest, definition, publish, startApiUnderTest } from '../testing/api-harness.ts';

let under: ApiUnderTest;
let workflowId: string;
beforeAll(async () => {
  under = await startApiUnderTest();
  workflowId = await publish(under, 'target', {
    input: { type: 'object', properties: { n: { type: 'integer' } }, additionalProperties: false },
  });
});
afterAll(() => under.close());

const json = { 'content-type': 'application/json' };
const nobody = '018f0000-0000-7000-8000-000000000000';
const withIf = (source: string) =>
  definition('bad', { steps: { a: { uses: 'noop' }, b: { uses: 'noop', needs: ['a'], if: `\${{ ${source} }}` } } });
const rowCounts = async () =>
  (
    await under.sql.query(
      'select (select count(*) from workflows) w, (select count(*) from workflow_versions) v, (select count(*) from workflow_runs) r, (select count(*) from run_inputs) i, (select count(*) from live_runs) l',
    )
  ).rows[0];

/** Whatever is sent, the answer is an ErrorBody with a dotted code, and nothing is written. */
async function refused(
  method: string,
  path: string,
  ask: Parameters<ApiUnderTest['ask']>[2],
): Promise<{ status: number; body: ErrorBody; faults: { code: string; path: string; line?: number | null }[] }> {
  const before = await rowCounts();
  const { status, body } = await under.ask(method, path, ask);
  expect(await rowCounts()).toEqual(before);
  const error = ErrorBody.parse(body);
  expect(error.code).toMatch(/^[a-z_]+\.[a-z_]+$/);
  expect(error.remedy).toEqual(expect.any(String));
  const faults: unknown = error.details['faults'];
  return { status, body: error, faults: Array.isArray(faults) ? faults : [] };
}

describe('definitions that are refused', () => {
  const apply = (ask: Parameters<ApiUnderTest['ask']>[2]) => refused('POST', '/api/v1/workflows', ask);

  it('malformed YAML, with file, line and remedy', async () => {
    const source = 'apiVersion: flowforge/v1\nkind: Workflow\nmetadata: {name: x\nspec:';
    const { status, body, faults } = await apply({ body: { source, file: 'orders.yaml' } });
    expect([status, body.code]).toEqual([422, 'definition.invalid']);
    expect(faults[0]).toMatchObject({
      code: expect.stringMatching(/^definition\./),
      file: 'orders.yaml',
      line: expect.any(Number),
      remedy: expect.any(String),
    });
  });

  it('a cycle, an unknown step kind and an unknown need, all at once', async () => {
    const steps = {
      a: { uses: 'noop', needs: ['b'] },
      b: { uses: 'noop', needs: ['a'] },
      c: { uses: 'htttp' },
      d: { uses: 'noop', needs: ['nowhere'] },
    };
    const { status, faults } = await apply({ body: { definition: definition('bad', { steps }) } });
    expect(status).toBe(422);
    expect(faults.map(({ code }) => code)).toEqual(
      expect.arrayContaining(['definition.cycle', 'definition.step_kind_unknown', 'definition.need_unknown']),
    );
  });

  it.each([
    ['size', `${'1 + '.repeat(2_000)}1`],
    ['depth', `${'('.repeat(500)}1${')'.repeat(500)}`],
    ['macros', '[1].all(a, [1].all(b, [1].all(c, [1].all(d, a + b + c + d > 0))))'],
    ['an open bracket', 'input.a['],
  ])('an expression that explodes in %s', async (_, source) => {
    const { status, faults } = await apply({ body: { definition: withIf(source) } });
    expect(status).toBe(422);
    expect(faults[0]).toMatchObject({ code: expect.stringMatching(/^definition\.(expression|macro)_/), path: 'spec.steps.b.if' });
  });

  it('an environment and a team that do not exist', async () => {
    const unknown = await apply({ body: { definition: definition('bad', { environment: 'prod' }) } });
    expect([unknown.status, unknown.body.code]).toEqual([400, 'environment.unknown']);
    expect(unknown.body.remedy).toContain('production');
    expect((await apply({ body: { definition: definition('bad', { team: 'nobody' }) } })).body.code).toBe('team.unknown');
  });

  it('U+0000 in the text, and behind a YAML escape', async () => {
    expect((await apply({ body: { source: 'apiVersion: flowforge/v1\0' } })).status).toBe(422);
    const source = 'apiVersion: flowforge/v1\nkind: Workflow\nmetadata: {name: x, labels: {a: "\\0"}}\nspec: {steps: {a: {uses: noop}}}';
    expect((await apply({ body: { source } })).status).toBe(422);
  });

  it('both or neither of source and definition', async () => {
    expect((await apply({ body: {} })).body.code).toBe('api.body_invalid');
    expect((await apply({ body: { source: 'a', definition: {} } })).body.code).toBe('api.body_invalid');
  });
});

describe('requests that are refused', () => {
  it.each<[string, string, string, Parameters<ApiUnderTest['ask']>[2], number, string]>([
    ['JSON that ends too early', 'POST', '/api/v1/runs', { raw: '{"workflowId":', headers: json }, 400, 'api.body_malformed'],
    [
      'a prototype in the JSON',
      'POST',
      '/api/v1/runs',
      { raw: `{"workflowId":"${nobody}","__proto__":{"a":1}}`, headers: json },
      400,
      'api.body_malformed',
    ],
    ['an array for a body', 'POST', '/api/v1/runs', { body: [] }, 400, 'api.body_invalid'],
    ['a field nobody knows', 'POST', '/api/v1/runs', { body: { workflowId: nobody, inputs: {} } }, 400, 'api.body_invalid'],
    ['an input that is no object', 'POST', '/api/v1/runs', { body: { workflowId: nobody, input: 5 } }, 400, 'api.body_invalid'],
    ['an id that is none', 'POST', '/api/v1/runs', { body: { workflowId: 'x' } }, 400, 'api.body_invalid'],
    [
      'a content type nobody reads',
      'POST',
      '/api/v1/runs',
      { raw: '<a/>', headers: { 'content-type': 'application/xml' } },
      415,
      'api.media_unsupported',
    ],
    ['a body of 3 MiB', 'POST', '/api/v1/runs', { raw: `{"a":"${'x'.repeat(3 << 20)}"}`, headers: json }, 413, 'api.body_too_large'],
    [
      'a batch of 17 MiB',
      'POST',
      '/api/v1/runs:batch',
      { raw: `{"a":"${'x'.repeat(17 << 20)}"}`, headers: json },
      413,
      'api.body_too_large',
    ],
    ['an unknown workflow', 'POST', '/api/v1/runs', { body: { workflowId: nobody } }, 404, 'workflow.unknown'],
    ['a workflow id that is none', 'POST', '/api/v1/workflows/x/runs', { body: {} }, 404, 'workflow.unknown'],
    ['an unknown run', 'GET', `/api/v1/runs/${nobody}`, {}, 404, 'run.unknown'],
    ['a run id that is none', 'GET', `/api/v1/runs/'%20or%201=1--`, {}, 404, 'run.unknown'],
    ['cancelling an unknown run', 'POST', `/api/v1/runs/${nobody}/cancel`, { body: {} }, 404, 'run.unknown'],
    ['retrying an unknown run', 'POST', `/api/v1/runs/${nobody}/retry`, { body: {} }, 404, 'run.unknown'],
    ['events of an unknown run', 'GET', `/api/v1/runs/${nobody}/events`, {}, 404, 'run.unknown'],
    ['an unknown version', 'GET', `/api/v1/workflows/${nobody}/versions/1`, {}, 404, 'workflow.unknown'],
    ['a path that is none', 'GET', '/api/v1/nothing', {}, 404, 'api.route_unknown'],
    ['a method the path has not', 'PUT', '/api/v1/runs', { body: {} }, 404, 'api.route_unknown'],
    ['a page that is too large', 'GET', '/api/v1/runs?limit=201', {}, 400, 'api.query_invalid'],
    ['a filter nobody knows', 'GET', '/api/v1/runs?stat=RUNNING', {}, 400, 'api.query_invalid'],
    ['a state nobody knows', 'GET', '/api/v1/runs?state=SUCCESS', {}, 400, 'api.query_invalid'],
    ['eleven labels', 'GET', `/api/v1/workflows?${'label=a:b&'.repeat(11)}`, {}, 400, 'api.query_invalid'],
    [
      'a cursor of another list',
      'GET',
      `/api/v1/runs?cursor=${Buffer.from('workflow x').toString('base64url')}`,
      {},
      400,
      'api.cursor_invalid',
    ],
    ['a cursor that is none', 'GET', '/api/v1/runs?cursor=%00%27', {}, 400, 'api.cursor_invalid'],
    ['a key with blanks', 'POST', '/api/v1/workflows/x/runs', { body: {}, headers: { 'idempotency-key': 'a b' } }, 404, 'workflow.unknown'],
    ['an event id that is none', 'GET', `/api/v1/runs/${nobody}/events`, { headers: { 'last-event-id': 'x' } }, 400, 'api.header_invalid'],
    [
      'an expected version that is none',
      'POST',
      `/api/v1/runs/${nobody}/cancel`,
      { body: { expectedVersion: 0 } },
      400,
      'api.body_invalid',
    ],
  ])('%s', async (_, method, path, ask, status, code) => {
    const answer = await refused(method, path, ask);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  it.each<[string, unknown, number, string]>([
    ['of the wrong type', { n: 'one' }, 422, 'run.input_invalid'],
    ['with a field too many', { n: 1, m: 2 }, 422, 'run.input_invalid'],
    ['with U+0000', { n: 'a\0b' }, 422, 'run.input_unstorable'],
    ['with half a surrogate pair', { n: '\ud800' }, 422, 'run.input_unstorable'],
    ['of more than 256 KiB', { n: 'x'.repeat(256 * 1024) }, 413, 'run.input_too_large'],
  ])('an input %s', async (_, input, status, code) => {
    const answer = await refused('POST', `/api/v1/workflows/${workflowId}/runs`, { body: { input } });
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  it('an idempotency key that is not visible ASCII, or too long', async () => {
    for (const key of ['a b', 'x'.repeat(201)]) {
      const answer = await refused('POST', `/api/v1/workflows/${workflowId}/runs`, { body: {}, headers: { 'idempotency-key': key } });
      expect([answer.status, answer.body.code]).toEqual([400, 'api.header_invalid']);
    }
  });

  it('a disabled workflow', async () => {
    await under.ask('PATCH', `/api/v1/workflows/${workflowId}`, { body: { enabled: false } });
    const answer = await refused('POST', `/api/v1/workflows/${workflowId}/runs`, { body: {} });
    expect([answer.status, answer.body.code]).toEqual([409, 'workflow.disabled']);
    await under.ask('PATCH', `/api/v1/workflows/${workflowId}`, { body: { enabled: true } });
  });

  it('are answered with the request id that was sent, and a safe one for a strange one', async () => {
    expect((await under.ask('GET', '/nowhere', { headers: { 'x-request-id': 'trace-1' } })).body.requestId).toBe('trace-1');
    expect((await under.ask('GET', '/nowhere', { headers: { 'x-request-id': '<script>' } })).body.requestId).toMatch(
      /^[\w-]{12}-[0-9a-z]+$/,
    );
  });
});
