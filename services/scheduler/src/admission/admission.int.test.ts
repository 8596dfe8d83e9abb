import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { StreamBroker } from '#transport';
import { type TestDatabase, databaseServers, eventually } from '#testing';
import { type GivenDeployment, GivenRows } from '../../../../libs/testing/src/given/given-rows.ts';
import { GivenScheduler, type GivenSchedulerOptions, deliveriesOf, reportOf } from '../../../../libs/testing/src/given/given-scheduler.ts';
import { aPlan } from '../../../../libs/testing/src/given/plan.ts';

const single = aPlan({ only: {} });
const waiting = aPlan({ pause: { uses: 'delay', input: { duration: '1h' } }, after: { needs: ['pause'] } });

describe.each(databaseServers())('admission on $name', ({ cloneDatabase }) => {
  const databases: TestDatabase[] = [];
  let database: TestDatabase;
  let given: GivenRows;
  let schedulers: GivenScheduler[];
  let broker: StreamBroker;

  beforeEach(async () => {
    database = await cloneDatabase();
    databases.push(database);
    given = await GivenRows.open(database);
    broker = new StreamBroker();
    schedulers = [];
  });
  afterEach(async () => {
    expect(await given.faults()).toEqual([]);
    await Promise.all([...schedulers.map((scheduler) => scheduler.close()), given.close()]);
  });
  afterAll(async () => {
    for (const each of databases) await each.drop();
  });

  const open = async (count: number, options: Partial<GivenSchedulerOptions> = {}) => {
    const more = await Promise.all(Array.from({ length: count }, () => GivenScheduler.open({ database, broker, ...options })));
    schedulers.push(...more);
    return more;
  };
  const one = async (options: Partial<GivenSchedulerOptions> = {}) => (await open(1, options))[0] as GivenScheduler;
  const running = async () => {
    const rows = await given.rows<{ team: string; count: number }>(
      `select team, count(*)::int as count from live_runs where phase = 'running' group by team`,
    );
    return Object.fromEntries(rows.map(({ team, count }) => [team, count]));
  };
  /** Ends every task that waits in the stream. */
  const work = async (scheduler: GivenScheduler, deployment: GivenDeployment) => {
    const tasks = await scheduler.takeTasks(deployment.name);
    await scheduler.reports.apply(
      deliveriesOf(
        deployment.name,
        tasks.map((task) => reportOf(task)),
      ),
    );
    return tasks.length;
  };
  const reasonOf = async (id: string) =>
    (await given.rows<{ state: string; reason: string }>('select state::text, reason from workflow_runs where id = $1', [id]))[0];

  it('never shows 21 under a limit of 20, with eight services that admit at once and work that ends all the while', async () => {
    const deployment = await given.deployment({ limit: 20 });
    const team = await given.team('finance', { limit: 12 });
    await given.runs(100, { plan: single, deployment });
    await given.runs(100, { plan: single, deployment, team });
    const services = await open(8);
    const seen = { all: 0, team: 0, samples: 0 };
    let over = false;
    const sampling = (async () => {
      while (!over) {
        const counts = await running();
        const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
        Object.assign(seen, { all: Math.max(seen.all, all), team: Math.max(seen.team, counts[team] ?? 0), samples: seen.samples + 1 });
        // Counted over the rows of the runs, too: the live rows could be wrong together with the limit.
        const [states] = await given.rows<{ count: number }>(`select count(*)::int as count from workflow_runs where state = 'RUNNING'`);
        seen.all = Math.max(seen.all, states?.count ?? 0);
      }
    })();
    for (let round = 0; ((await given.runStates())['SUCCEEDED'] ?? 0) < 200; round += 1) {
      expect(round).toBeLessThan(500);
      await Promise.all([
        ...services.map(({ admission }) => admission.admitAll()),
        work(services[round % 8] as GivenScheduler, deployment),
      ]);
    }
    over = true;
    await sampling;
    expect(seen.all).toBe(20);
    expect(seen.team).toBeLessThanOrEqual(12);
    expect(seen.samples).toBeGreaterThan(20);
  });

  it('keeps a limit of one over a concurrency key, with four services', async () => {
    const deployment = await given.deployment();
    for (const concurrencyKey of ['a', 'b', 'c']) await given.runs(10, { plan: single, deployment, concurrencyKey, concurrencyLimit: 1 });
    const services = await open(4);
    for (let round = 0; ((await given.runStates())['SUCCEEDED'] ?? 0) < 30; round += 1) {
      expect(round).toBeLessThan(60);
      await Promise.all(services.map(({ admission }) => admission.admitAll()));
      const held = await given.rows<{ count: number }>(`select count(*)::int as count from live_runs where began group by concurrency_key`);
      expect(held.every(({ count }) => count === 1)).toBe(true);
      await work(services[0] as GivenScheduler, deployment);
    }
  });

  it('ends a hundred queued runs under a limit of five', async () => {
    const deployment = await given.deployment({ limit: 5 });
    // Ids of one millisecond have no order of their own.
    const ids = (await given.runs(100, { plan: single, deployment })).toSorted();
    const scheduler = await one();
    expect(await scheduler.admission.admitAll()).toBe(5);
    expect(await reasonOf(ids[99] ?? '')).toEqual({ state: 'QUEUED', reason: 'limit.deployment' });
    let ended = 0;
    while (ended < 100) {
      ended += await work(scheduler, deployment);
      await scheduler.admission.admitAll();
    }
    expect(await given.runStates()).toEqual({ SUCCEEDED: 100 });
    // Held at first: one move more.
    expect((await given.auditOf(ids[99] ?? '')).map(({ step, to }) => `${step} ${to}`)).toEqual([
      ...['0 CREATED', '0 QUEUED', '0 RUNNING', '1 DISPATCHED', '1 RUNNING', '1 SUCCEEDED', '0 SUCCEEDED'],
    ]);
    expect(await given.auditOf(ids[0] ?? '')).toHaveLength(6);
  });

  it("uses the installation's limit where a deployment has none, and a deployment's own before it", async () => {
    const [plain, own] = [await given.deployment(), await given.deployment({ limit: 2 })];
    await given.runs(10, { plan: single, deployment: plain });
    await given.runs(10, { plan: single, deployment: own });
    expect(await (await one({ defaultLimit: 7 })).admission.admitAll()).toBe(7 + 2);
  });

  it('keeps a team to its limit and says so, over two deployments', async () => {
    const team = await given.team('finance', { limit: 3 });
    const [here, there] = [await given.deployment(), await given.deployment()];
    await given.runs(5, { plan: single, deployment: here, team });
    await given.runs(5, { plan: single, deployment: there, team });
    const scheduler = await one();
    expect(await scheduler.admission.admitAll()).toBe(3);
    const held = `select reason, count(*)::int as count from workflow_runs where state = 'QUEUED' group by reason`;
    expect(await given.rows(held)).toEqual([{ reason: 'limit.team', count: 7 }]);
  });

  it('shares places by weight, whatever one team floods the queue with', async () => {
    const deployment = await given.deployment({ limit: 8 });
    const [flood, calm] = [await given.team('flood', { weight: 1 }), await given.team('calm', { weight: 3 })];
    await given.runs(300, { plan: single, deployment, team: flood });
    await given.runs(20, { plan: single, deployment, team: calm });
    await (await one({ perQueue: 50 })).admission.admitAll();
    expect(await running()).toEqual({ flood: 2, calm: 6 });
  });

  it('admits the highest priority first', async () => {
    const deployment = await given.deployment({ limit: 1 });
    await given.runs(3, { plan: single, deployment });
    const urgent = await given.run({ plan: single, deployment, priority: 10 });
    await (await one()).admission.admitAll();
    expect((await given.statesOf(urgent)).run).toBe('RUNNING');
  });

  it('serves a low priority in the end, however many runs of a higher one stand before it', async () => {
    const deployment = await given.deployment({ limit: 1 });
    const patient = await given.run({ plan: single, deployment, priority: -2 });
    await given.sql.query(`update live_runs set queued_at = queued_at - interval '1 hour'`);
    await given.runs(5, { plan: single, deployment, priority: 10 });
    await given.run({ plan: single, deployment, team: 'other', priority: 3 });
    await (await one({ perQueue: 2 })).admission.admitAll();
    expect((await given.statesOf(patient)).run).toBe('RUNNING');
  });

  it('frees the place of a run that waits, but not its concurrency key', async () => {
    const deployment = await given.deployment({ limit: 1 });
    const scheduler = await one();
    const sleeper = await given.run({ plan: waiting, deployment, concurrencyKey: 'a', concurrencyLimit: 1 });
    await scheduler.admission.admitAll();
    expect((await given.statesOf(sleeper)).run).toBe('WAITING');
    const other = await given.run({ plan: single, deployment });
    // The key is one of the workflow, so the plan is the sleeper's.
    const sameKey = await given.run({ plan: waiting, deployment, concurrencyKey: 'a', concurrencyLimit: 1 });
    await scheduler.admission.admitAll();
    expect((await given.statesOf(other)).run).toBe('RUNNING');
    expect(await reasonOf(sameKey)).toEqual({ state: 'QUEUED', reason: expect.stringMatching(/^limit\./) });
    await given.sql.query(`update timers set due_at = now() where run_id = $1`, [sleeper]);
    await scheduler.sweeps.fireDue();
    await work(scheduler, deployment);
    await scheduler.admission.admitAll();
    expect((await given.statesOf(sleeper)).steps).toMatchObject({ after: 'DISPATCHED' });
    expect((await given.statesOf(sameKey)).run).toBe('QUEUED');
    await work(scheduler, deployment);
    await scheduler.admission.admitAll();
    expect((await given.statesOf(sameKey)).run).toBe('WAITING');
  });

  it('keeps the concurrency key of a run that waits, where nothing else is limited', async () => {
    const deployment = await given.deployment();
    const scheduler = await one();
    const key = { plan: waiting, deployment, concurrencyKey: 'a', concurrencyLimit: 1 };
    const sleeper = await given.run(key);
    await scheduler.admission.admitAll();
    expect((await given.statesOf(sleeper)).run).toBe('WAITING');
    const sameKey = await given.run(key);
    await scheduler.admission.admitAll();
    expect(await reasonOf(sameKey)).toEqual({ state: 'QUEUED', reason: 'limit.concurrency_key' });
  });

  it('counts behind the lock: what another admitted, while this one waited for it, is counted', async () => {
    const deployment = await given.deployment({ limit: 1 });
    const scheduler = await one();
    const [here = '', there = ''] = await given.runs(2, { plan: single, deployment });
    await given.rows(`update live_runs set priority = 1 where run_id = '${here}'`);
    const another = new pg.Client({ connectionString: database.superuserUrl });
    await another.connect();
    await another.query('begin');
    await another.query('select from deployments where id = $1 for no key update', [deployment.id]);
    const admitting = scheduler.admission.admitAll();
    const blocked = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    await eventually(async () => (await given.rows(blocked)).length === 1, { what: 'the admission to wait for the lock' });
    // As another scheduler's admission leaves it, as far as it is counted.
    await another.query(`update live_runs set phase = 'running' where run_id = $1`, [there]);
    await another.query('commit');
    await another.end();
    await admitting;
    expect((await given.statesOf(here)).run).not.toBe('RUNNING');
    await given.sql.query(`update live_runs set phase = 'queued' where run_id = $1`, [there]);
  });

  it('knows when nobody waits for a place; who comes then is held by a limit all the same', async () => {
    const deployment = await given.deployment({ limit: 2 });
    const scheduler = await one();
    const { admission } = scheduler;
    await given.runs(2, { plan: single, deployment });
    expect(admission.mayAwaitPlaces).toBe(true);
    expect(await admission.admitAll()).toBe(2);
    expect(admission.mayAwaitPlaces).toBe(false);

    const [third = ''] = await given.runs(1, { plan: single, deployment });
    expect(await admission.admitAll()).toBe(0);
    expect(await reasonOf(third)).toEqual({ state: 'QUEUED', reason: 'limit.deployment' });
    expect(admission.mayAwaitPlaces).toBe(true);

    await work(scheduler, deployment);
    expect(await admission.admitAll()).toBe(1);
    expect(admission.mayAwaitPlaces).toBe(false);
  });

  it('finds a run that comes under an older id than those before it', async () => {
    const deployment = await given.deployment();
    const { admission } = await one();
    await given.runs(3, { plan: single, deployment });
    expect(await admission.admitAll()).toBe(3);
    await given.run({ plan: single, deployment, idsOlderByMs: 3_000 });
    expect(await admission.admitAll()).toBe(0);
    admission.lookAtEverybody();
    expect(await admission.admitAll()).toBe(1);
  });

  it('does not write again of runs that are held already', async () => {
    const deployment = await given.deployment({ limit: 1 });
    await given.runs(5, { plan: single, deployment });
    const scheduler = await one();
    await scheduler.admission.admitAll();
    const [before] = await given.rows<{ count: number }>('select count(*)::int as count from workflow_transition_audit');
    for (let round = 0; round < 3; round += 1) expect(await scheduler.admission.admitAll()).toBe(0);
    expect(await given.rows('select count(*)::int as count from workflow_transition_audit')).toEqual([before]);
  });

  it('does not let runs that wait for their concurrency key hide those behind them', async () => {
    const deployment = await given.deployment();
    await given.runs(30, { plan: single, deployment, concurrencyKey: 'busy', concurrencyLimit: 1 });
    const [behind = ''] = await given.runs(1, { plan: single, deployment });
    const scheduler = await one({ perQueue: 10 });

    await scheduler.admission.admitAll();

    expect((await given.statesOf(behind)).run).toBe('RUNNING');
    expect(await running()).toEqual({ '': 2 });
  });

  it('does not let a run that cannot be admitted hold up those behind it', async () => {
    const deployment = await given.deployment({ limit: 2 });
    const [bad = '', ...good] = await given.runs(4, { plan: single, deployment });
    await given.sql.query('set session_replication_role = replica');
    await given.sql.query('update workflow_runs set workflow_version = 77 where id = $1', [bad]);
    const scheduler = await one();
    await scheduler.admission.admitAll();
    await work(scheduler, deployment);
    await scheduler.admission.admitAll();
    await work(scheduler, deployment);
    await scheduler.admission.admitAll();
    await work(scheduler, deployment);
    for (const id of good) expect((await given.statesOf(id)).run).toBe('SUCCEEDED');
    await given.sql.query('update workflow_runs set workflow_version = 1 where id = $1', [bad]);
    await given.sql.query('set session_replication_role = origin');
  });
});
