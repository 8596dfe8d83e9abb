import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ApiKey, CreatedApiKey, ErrorBody } from '#contracts';
import { ApiKeyStore, openDatabase } from '#store';
import { eventually } from '#testing';
import { HTTP_CONTROLLERS } from '../api.module.ts';
import { declaredRoutes } from '../openapi/routes.ts';
import { ADMIN_TOKEN, type ApiUnderTest, publish, startApiUnderTest, startRun } from '../testing/api-harness.ts';
import { acceptAdminToken, ensureAdminToken } from './admin-token.ts';
import { hashOf } from './key-ring.ts';

/** Every route with what it asks of its caller. A new route is added here by hand: whoever reviews it sees who may use it. */
const ROUTES = [
  'GET /api/health/workflows public',
  'GET /api/openapi.json public',
  'GET /api/v1/api-keys api-key:manage',
  'POST /api/v1/api-keys api-key:manage',
  'DELETE /api/v1/api-keys/{id} api-key:manage',
  'GET /api/v1/deployments deployment:read',
  'GET /api/v1/deployments/resolve deployment:read',
  'GET /api/v1/runs run:read',
  'POST /api/v1/runs run:start',
  'GET /api/v1/runs/{id} run:read',
  'POST /api/v1/runs/{id}/cancel run:control',
  'GET /api/v1/runs/{id}/events run:read',
  'GET /api/v1/runs/{id}/explain run:read',
  'GET /api/v1/runs/{id}/logs run:read',
  'POST /api/v1/runs/{id}/retry run:control',
  'GET /api/v1/runs/{id}/steps run:read',
  'GET /api/v1/runs/{id}/steps/{step} run:read',
  'GET /api/v1/runs/{id}/transitions run:read',
  'POST /api/v1/runs:batch run:start',
  'GET /api/v1/workflows workflow:read',
  'POST /api/v1/workflows workflow:write',
  'GET /api/v1/workflows/{id} workflow:read',
  'PATCH /api/v1/workflows/{id} workflow:write',
  'GET /api/v1/workflows/{id}/runs run:read',
  'POST /api/v1/workflows/{id}/runs run:start',
  'GET /api/v1/workflows/{id}/versions workflow:read',
  'GET /api/v1/workflows/{id}/versions/{version} workflow:read',
  'GET /api/workflows workflow:read',
  'POST /api/workflows/{id}/execute run:start',
  'POST /api/workflows/{id}/run run:start',
  'GET /health public',
  'GET /ready public',
];
const RANK = ['viewer', 'operator', 'admin'];
const NEEDED: Record<string, string> = {
  'workflow:read': 'viewer',
  'run:read': 'viewer',
  'deployment:read': 'viewer',
  'run:start': 'operator',
  'run:control': 'operator',
  'workflow:write': 'admin',
  'api-key:manage': 'admin',
};

let under: ApiUnderTest;
beforeAll(async () => (under = await startApiUnderTest()));
afterAll(() => under.close());

const makeKey = async (role: string, expiresAt: string | null = null): Promise<CreatedApiKey> =>
  CreatedApiKey.parse((await under.ask('POST', '/api/v1/api-keys', { body: { name: `a ${role}`, role, expiresAt } })).body);
const whoAmI = (token: string | null, headers = {}) => under.ask('GET', '/api/v1/runs', { token, headers });

describe('routes', () => {
  it('are exactly these, each with its permission', () => {
    expect(
      declaredRoutes(HTTP_CONTROLLERS)
        .map(({ method, path, access }) => `${method} ${path} ${access ?? 'CLOSED'}`)
        .toSorted(),
    ).toEqual(ROUTES.toSorted());
  });

  it('are all that the server answers: whatever else is asked for is 404 or asks for a token', async () => {
    const printed = under.api.routes();
    const served = [...printed]
      .filter((route) => !/^(HEAD|OPTIONS) /.test(route))
      .map((route) => route.replaceAll(/:(\w+)/g, (text, name, at, all) => (all[at - 1] === '/' ? `{${name}}` : text)));
    expect(served.toSorted()).toEqual(ROUTES.map((route) => route.split(' ').slice(0, 2).join(' ')).toSorted());
  });

  it.each(ROUTES.map((route) => route.split(' ')).filter(([, , access]) => access !== 'public'))(
    '%s %s is closed without a token',
    async (method = '', path = '') => {
      const filled = path.replace(/\{(id|step|version)\}/g, '018f0000-0000-7000-8000-000000000000');
      const { status, headers, body } = await under.ask(method, filled, { token: null, ...(method === 'GET' ? {} : { body: {} }) });
      expect([status, ErrorBody.parse(body).code, headers.get('www-authenticate')]).toEqual([401, 'auth.token_missing', 'Bearer']);
    },
  );

  it.each(RANK)('let a %s do what the role may, and nothing else', async (role) => {
    const { key } = await makeKey(role);
    for (const route of ROUTES) {
      const [method = '', path = '', access = ''] = route.split(' ');
      if (access === 'public' || path.endsWith('/events')) continue;
      const filled = path.replace('{id}', '018f0000-0000-7000-8000-000000000000').replace('{step}', '1').replace('{version}', '1');
      const { status, body } = await under.ask(method, filled, {
        token: key,
        ...(method === 'GET' || method === 'DELETE' ? {} : { body: { unknown: 1 } }),
      });
      const allowed = RANK.indexOf(role) >= RANK.indexOf(NEEDED[access] ?? 'nobody') && NEEDED[access] !== undefined;
      expect([route, status === 403, body.code === 'auth.forbidden']).toEqual([route, !allowed, !allowed]);
    }
  });
});

describe('tokens', () => {
  it.each([
    ['none', undefined, 'auth.token_missing'],
    ['another scheme', 'Basic YTpi', 'auth.token_missing'],
    ['an empty one', 'Bearer ', 'auth.token_missing'],
    ['two', 'Bearer a b', 'auth.token_missing'],
    ['an endless one', `Bearer ${'x'.repeat(5_000)}`, 'auth.token_missing'],
    ['a forged one', `Bearer ff_${'A'.repeat(43)}`, 'auth.token_invalid'],
    ['an almost right one', `Bearer ${ADMIN_TOKEN}x`, 'auth.token_invalid'],
    ['a signed-looking one', 'Bearer eyJhbGciOiJub25lIn0.eyJyb2xlIjoiYWRtaW4ifQ.', 'auth.token_invalid'],
  ])('refuse %s', async (_, authorization, code) => {
    const { status, body } = await whoAmI(null, authorization === undefined ? {} : { authorization });
    expect([status, body.code]).toEqual([401, code]);
  });

  it('are refused once they have expired, also while they are remembered', async () => {
    const { key } = await makeKey('viewer', new Date(Date.now() + 1_200).toISOString());
    expect((await whoAmI(key)).status).toBe(200);
    await eventually(async () => (await whoAmI(key)).body.code === 'auth.token_expired');
  });

  it('are refused once they were revoked', async () => {
    const { key, id } = await makeKey('operator');
    expect((await whoAmI(key)).status).toBe(200);
    expect(ApiKey.parse((await under.ask('DELETE', `/api/v1/api-keys/${id}`)).body).revokedAt).not.toBeNull();
    expect(await whoAmI(key)).toMatchObject({ status: 401, body: { code: 'auth.token_revoked' } });
    expect((await under.ask('DELETE', '/api/v1/api-keys/018f0000-0000-7000-8000-000000000000')).body.code).toBe('api_key.unknown');
  });

  it('are shown once and kept as a hash only; lists never show them', async () => {
    const { key, id } = await makeKey('viewer');
    expect(key).toMatch(/^ff_[\w-]{43}$/);
    const { rows } = await under.sql.query('select row_to_json(k)::text as text, hash from api_keys k where id = $1', [id]);
    expect(rows[0].text).not.toContain(key);
    expect(rows[0].hash).toEqual(hashOf(key));
    const listed = await under.ask('GET', '/api/v1/api-keys?limit=200');
    expect(JSON.stringify(listed.body)).not.toContain(key);
    expect(under.lines.join('')).not.toContain(key);
    expect(under.lines.join('')).not.toContain(ADMIN_TOKEN);
  });

  it('name the actor of what they do', async () => {
    const { key } = await makeKey('operator');
    const workflowId = await publish(under, 'actor');
    const id = await startRun(under, workflowId);
    await under.ask('POST', `/api/v1/runs/${id}/cancel`, { token: key, body: { reason: 'not needed' } });
    const { items } = (await under.ask('GET', `/api/v1/runs/${id}/transitions`)).body;
    expect(items.map(({ actor, reason }: { actor: string; reason: string | null }) => [actor, reason])).toEqual([
      ['admin', null],
      ['a operator', 'not needed'],
    ]);
  });
});

describe('the admin token', () => {
  it('is made once in a file that only its owner reads', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'flowforge-token-'));
    const file = join(folder, 'data', 'admin-token');
    const tokens = await Promise.all([ensureAdminToken(file), ensureAdminToken(file)]);
    const token = await ensureAdminToken(file);
    expect(token).toMatch(/^ff_[\w-]{43}$/);
    for (const other of tokens) expect(other).toBe(token);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await rm(folder, { recursive: true });
  });

  it('replaces the one that was configured before, and is refused when it is short in production', async () => {
    const database = await openDatabase({ url: under.database.apiUrl, name: 'test', connectionsMax: 2 });
    const keys = new ApiKeyStore(database);
    const next = 'another-admin-token-of-enough-characters';
    await acceptAdminToken(keys, next, 'production');
    expect((await keys.findByHash(hashOf(ADMIN_TOKEN)))?.revoked).toBe(true);
    await acceptAdminToken(keys, ADMIN_TOKEN, 'production');
    expect((await keys.findByHash(hashOf(ADMIN_TOKEN)))?.revoked).toBe(false);
    expect((await keys.findByHash(hashOf(next)))?.revoked).toBe(true);
    await expect(acceptAdminToken(keys, 'short', 'production')).rejects.toMatchObject({ code: 'auth.admin_token_weak' });
    await acceptAdminToken(keys, 'short', 'development');
    await acceptAdminToken(keys, ADMIN_TOKEN, 'test');
    await database.destroy();
  });
});
