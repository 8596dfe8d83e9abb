import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Health, paths } from '#contracts';
import { checkInvariants } from '#store';
import { TcpProxy, cloneDatabase, eventually, freePort, startRedis, type RedisServer, type TestDatabase } from '#testing';
import { SINGLE_STEP } from '../harness/definitions.ts';
import { untilWorkersAreIdle } from '../harness/idle-workers.ts';
import { Stack } from '../harness/stack.ts';

/** What is promised of a link that swallows everything: seen by /ready within, and green again after its end within, in milliseconds. */
const RED_WITHIN_MS = 10_000;
const GREEN_WITHIN_MS = 15_000;
/** Probes of an orchestrator give up on whoever takes longer. */
const ANSWER_WITHIN_MS = 2_000;

/** Every link of the product, and the check that has to tell of it. The api lives without Redis, and says that it is slower. */
const CHECKS = {
  'api > postgres': { check: 'postgres', says: 'down' },
  'api > redis': { check: 'redis', says: 'degraded' },
  'scheduler > postgres': { check: 'database', says: 'down' },
  'scheduler > redis': { check: 'streams', says: 'down' },
  'worker > redis': { check: 'streams', says: 'down' },
} as const;
type Link = keyof typeof CHECKS;
const LINKS = Object.keys(CHECKS) as Link[];
/** Faults of different processes at once: no process has two. */
const ROUNDS: readonly (readonly Link[])[] = [
  ['api > postgres', 'scheduler > redis', 'worker > redis'],
  ['api > redis', 'scheduler > postgres'],
];

const Body = Health.extend({ checks: Health.shape.checks.optional() });

interface Seen {
  readonly redMs: number;
  readonly greenMs: number;
}

describe('a link that is half open: nothing arrives, nobody is told', () => {
  let database: TestDatabase;
  let owner: pg.Client;
  let redis: RedisServer;
  let stack: Stack;
  let workflow: string;
  let proxies: Readonly<Record<Link, TcpProxy>>;
  let ports: Readonly<Record<string, number>>;
  const seen = new Map<Link, Seen>();
  const accepted: string[] = [];

  beforeAll(async () => {
    [database, redis] = await Promise.all([cloneDatabase(), startRedis({ own: true })]);
    owner = new pg.Client(database.ownerUrl);
    await owner.connect();
    const portOf = (link: Link) => (link.endsWith('redis') ? redis.port : Number(new URL(database.apiUrl).port));
    const opened = await Promise.all(LINKS.map(async (link) => [link, await TcpProxy.listen(portOf(link))] as const));
    proxies = Object.fromEntries(opened) as Record<Link, TcpProxy>;
    ports = { scheduler: await freePort(), worker: await freePort() };
    const through = (link: Link, url: string) => Object.assign(new URL(url), { port: String(proxies[link].port) }).href;
    stack = await Stack.start({
      database: {
        apiUrl: through('api > postgres', database.apiUrl),
        schedulerUrl: through('scheduler > postgres', database.schedulerUrl),
      },
      redis,
      env: { REDIS_URL: proxies['api > redis'].url },
      schedulerEnv: { METRICS_PORT: String(ports['scheduler']), REDIS_URL: proxies['scheduler > redis'].url },
      workerEnv: { METRICS_PORT: String(ports['worker']), REDIS_URL: proxies['worker > redis'].url },
    });
    ports = { ...ports, api: Number(new URL(stack.api.url).port) };
    workflow = await stack.api.apply(SINGLE_STEP);
    await allGreen();
  }, 90_000);
  afterAll(async () => {
    for (const proxy of Object.values(proxies ?? {})) proxy.heal();
    await stack?.stop();
    await Promise.all(Object.values(proxies ?? {}).map((proxy) => proxy.close()));
    await redis?.stop();
    await owner?.end();
    await database?.drop();
  }, 60_000);

  /** The answer of a side door, which has to come in time whatever hangs. */
  async function ask(link: Link, path: '/health' | '/ready') {
    const port = ports[link.split(' ')[0] ?? ''] ?? 0;
    const began = performance.now();
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(10_000) });
    const body = Body.parse(await answer.json());
    return { code: answer.status, ...body, tookMs: performance.now() - began };
  }
  async function isGreen(link: Link): Promise<boolean> {
    const { code, status } = await ask(link, '/ready');
    return code === 200 && status === 'ok';
  }
  async function isRed(link: Link): Promise<boolean> {
    const { check, says } = CHECKS[link];
    const { code, checks } = await ask(link, '/ready');
    return code === (says === 'down' ? 503 : 200) && checks?.[check]?.status === says;
  }
  const allGreen = () =>
    Promise.all(LINKS.map((link) => eventually(() => isGreen(link), { within: GREEN_WITHIN_MS, what: `${link} to be green` })));
  async function submit(): Promise<{ status: number; retryAfter: string | null }> {
    const answer = await fetch(stack.api.url + paths.workflowRuns(workflow), {
      method: 'POST',
      headers: { ...stack.api.authorization, 'content-type': 'application/json' },
      body: '{"input":{}}',
      signal: AbortSignal.timeout(RED_WITHIN_MS + GREEN_WITHIN_MS),
    });
    const { id } = (await answer.json()) as { id: string };
    if (answer.status === 201) accepted.push(id);
    return { status: answer.status, retryAfter: answer.headers.get('retry-after') };
  }

  afterEach(() => {
    for (const proxy of Object.values(proxies)) proxy.heal();
  });

  it.each(ROUNDS.map((links) => ({ links })))(
    'turns readiness red and green again: $links',
    async ({ links }) => {
      await allGreen();
      await submit();
      const beganAt = performance.now();
      for (const link of links) proxies[link].blackhole();
      const during = submit();
      const red = new Map<Link, number>();
      await Promise.all(
        links.map(async (link) => {
          await eventually(() => isRed(link), { within: RED_WITHIN_MS, what: `${link} to be red` });
          red.set(link, performance.now() - beganAt);
        }),
      );
      const submitted = await during;
      if (links.includes('api > postgres')) expect(submitted).toEqual({ status: 503, retryAfter: '1' });
      else expect(submitted.status).toBe(201);
      for (const link of links) {
        expect(await ask(link, '/health')).toMatchObject({ code: 200, status: 'ok' });
        await eventually(async () => (await ask(link, '/ready')).tookMs < ANSWER_WITHIN_MS, { what: `${link} to answer in time` });
      }

      const healedAt = performance.now();
      for (const link of links) proxies[link].heal();
      await Promise.all(
        links.map(async (link) => {
          await eventually(() => isGreen(link), { within: GREEN_WITHIN_MS, what: `${link} to be green` });
          seen.set(link, { redMs: Math.round(red.get(link) ?? NaN), greenMs: Math.round(performance.now() - healedAt) });
        }),
      );
      expect((await submit()).status).toBe(201);
      await Promise.all(accepted.map((runId) => stack.api.reaches(runId, 'SUCCEEDED')));
    },
    60_000,
  );

  it('is seen and healed in time on every link, without a restart, and leaves every invariant intact', async () => {
    process.stderr.write(`${table(seen)}\n`);
    expect([...seen.keys()].toSorted()).toEqual(LINKS.toSorted());
    for (const role of ['api', 'scheduler', 'worker'] as const) expect(stack.member(role).ending).toBeUndefined();
    await untilWorkersAreIdle(owner, 1);
    expect((await checkInvariants(owner, { quiescent: true, bounds: { leaseSeconds: 1 } })).summary.broken).toEqual([]);
  });

  it('ends in order when it is told to, though every link is silent', async () => {
    for (const proxy of Object.values(proxies)) proxy.blackhole();
    const ends = await Promise.all((['api', 'scheduler', 'worker'] as const).map((role) => stack.member(role).kill('SIGTERM')));
    expect(ends.map(({ code }) => code)).toEqual([0, 0, 0]);
  }, 60_000);
});

function table(seen: ReadonlyMap<Link, Seen>): string {
  const rows = [...seen].map(([link, { redMs, greenMs }]) => `${link.padEnd(22)} red after ${redMs} ms, green after ${greenMs} ms`);
  return ['half-open links:', ...rows].join('\n');
}
