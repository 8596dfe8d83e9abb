import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HandlerUnavailable, StreamBroker } from '#transport';
import { type TestDatabase, databaseServers, eventually } from '#testing';
import { type GivenDeployment, GivenRows } from '../../../../libs/testing/src/given/given-rows.ts';
import { GivenScheduler, deliveriesOf, reportOf } from '../../../../libs/testing/src/given/given-scheduler.ts';
import { aPlan } from '../../../../libs/testing/src/given/plan.ts';
import { LeaderLoop, type LeaderLoopOptions } from './leader-loop.ts';
import { WakeSignal } from './wake-signal.ts';

interface Led {
  readonly loop: LeaderLoop;
  readonly bell: WakeSignal;
  readonly scheduler: GivenScheduler;
  readonly epochs: number[];
  readonly holder: string;
  /** Rounds that it has begun. */
  readonly rounds: () => number;
}

describe.each(databaseServers())('the leader loop on $name', ({ cloneDatabase }) => {
  const databases: TestDatabase[] = [];
  let database: TestDatabase;
  let given: GivenRows;
  let deployment: GivenDeployment;
  let led: Led[];
  let broker: StreamBroker;

  beforeEach(async () => {
    database = await cloneDatabase();
    databases.push(database);
    given = await GivenRows.open(database);
    deployment = await given.deployment();
    broker = new StreamBroker();
    led = [];
  });
  afterEach(async () => {
    for (const { loop, scheduler } of led) {
      await loop.stop();
      await scheduler.close();
    }
    await given.close();
  });
  afterAll(async () => {
    for (const each of databases) await each.drop();
  });

  const lead = async (options: Partial<LeaderLoopOptions> = {}, perQueue = 500): Promise<Led> => {
    const { leaseSeconds = 0.4 } = options;
    const scheduler = await GivenScheduler.open({ database, broker, leaseSeconds, heartbeatSeconds: 0.05, perQueue });
    const bell = new WakeSignal();
    const epochs: number[] = [];
    const holder = randomUUID();
    let begun = 0;
    const settings = {
      ...{ holder, leaseSeconds, sweepSeconds: 0.1, idempotencyHours: 24, epoch: 1 },
      onEpochChanged: (epoch: number) => void epochs.push(epoch),
      onRound: async () => void (begun += 1),
      onDeploymentsChanged: () => Promise.resolve(),
      ...options,
    };
    const { keeping, transport, admission, sweeps, deployments, logger, metrics, advance } = scheduler;
    const loop = new LeaderLoop(keeping, transport, admission, sweeps, deployments, bell, logger, settings, metrics);
    const one = { loop, bell, scheduler, epochs, holder, rounds: () => begun };
    led.push(one);
    advance.onRunsChanged((_runs, work) => loop.hear(work));
    loop.start();
    return one;
  };
  const leaders = () => led.filter(({ loop }) => loop.isLeader);
  const lease = async () =>
    (
      await given.rows<{ holder: string; term: string; until: string }>('select holder, term, expires_at::text as until from leader_leases')
    )[0];

  it('has one leader, and another at once when it leaves', async () => {
    const first = await lead({ leaseSeconds: 30 });
    await eventually(() => first.loop.isLeader);
    const second = await lead({ leaseSeconds: 30 });
    await eventually(() => second.rounds() > 1);
    expect(leaders()).toEqual([first]);
    expect(await lease()).toMatchObject({ holder: first.holder, term: '1' });
    await first.loop.stop();
    await eventually(() => second.loop.isLeader, { within: 4_000 });
    expect(await lease()).toMatchObject({ holder: second.holder, term: '2' });
  });

  it('writes no lease on the way of a run while most of it is left', async () => {
    const { loop, bell } = await lead({ leaseSeconds: 600 });
    await eventually(() => loop.isLeader);
    const taken = await lease();
    const id = await given.run({ plan: aPlan({ only: {} }), deployment });
    bell.ring();
    await eventually(async () => (await given.statesOf(id)).run === 'RUNNING');
    expect(await lease()).toEqual(taken);
  });

  it('renews its lease when a third of it is gone, under the same term', async () => {
    const { loop } = await lead({ leaseSeconds: 3 });
    await eventually(() => loop.isLeader);
    for (let renewals = 0; renewals < 3; renewals += 1) {
      const before = await lease();
      await eventually(async () => (await lease())?.until !== before?.until, { within: 4_000, what: 'the renewal' });
    }
    expect((await lease())?.term).toBe('1');
  });

  it('is led by another within a lease when its leader falls silent', async () => {
    const first = await lead();
    await eventually(() => first.loop.isLeader);
    const second = await lead();
    // Without a session to the database nobody renews anything.
    await first.scheduler.keeping.close();
    await eventually(() => second.loop.isLeader, { within: 3_000 });
    expect((await lease())?.holder).toBe(second.holder);
    await eventually(() => first.loop.silentMs > 300, { what: 'the readiness of the silent one to tell' });
  });

  it('admits what was submitted when the bell rings, long before the next sweep', async () => {
    const { loop, bell } = await lead({ sweepSeconds: 60, leaseSeconds: 60 });
    await eventually(() => loop.isLeader);
    const id = await given.run({ plan: aPlan({ only: {} }), deployment });
    bell.ring();
    await eventually(async () => (await given.statesOf(id)).run === 'RUNNING', { within: 2_000 });
  });

  it('starts a run that waits for a place when one becomes free, long before the next sweep', async () => {
    const narrow = await given.deployment({ limit: 1 });
    const { loop, bell, scheduler } = await lead({ sweepSeconds: 60, leaseSeconds: 60 });
    await eventually(() => loop.isLeader);
    const ids = await given.runs(2, { plan: aPlan({ only: {} }), deployment: narrow });
    await scheduler.deployments.refresh();
    bell.ring();
    const [task] = await eventually(async () => {
      const states = await Promise.all(ids.map((id) => given.statesOf(id)));
      const tasks = await scheduler.waitingTasks(narrow.name);
      return states.some(({ run }) => run === 'QUEUED') && tasks.length > 0 && tasks;
    });
    if (!task) throw new Error('The task is missing.');
    await scheduler.reports.apply(deliveriesOf(narrow.name, [reportOf(task)]));
    await eventually(async () => !(await given.runStates())['QUEUED'], { within: 2_000 });
  });

  it('wakes up for a timer, not for the next sweep', async () => {
    const { loop, bell } = await lead({ sweepSeconds: 60, leaseSeconds: 60 });
    await eventually(() => loop.isLeader);
    const id = await given.run({ plan: aPlan({ pause: { uses: 'delay', input: { duration: '300ms' } } }), deployment });
    bell.ring();
    await eventually(async () => (await given.statesOf(id)).run === 'SUCCEEDED', { within: 3_000 });
  });

  it('fires a timer and renews its lease while a long queue is being admitted', async () => {
    const pause = await given.run({ plan: aPlan({ pause: { uses: 'delay', input: { duration: '100ms' } } }), deployment });
    await given.runs(400, { plan: aPlan({ only: {} }), deployment });
    const { loop } = await lead({ sweepSeconds: 60, leaseSeconds: 0.4 }, 1);
    await eventually(async () => (await given.statesOf(pause)).run === 'SUCCEEDED', { within: 10_000 });
    expect((await given.runStates())['CREATED']).toBeGreaterThan(0);
    expect(loop.silentMs).toBeLessThan(2_000);
    await eventually(async () => !(await given.runStates())['CREATED'], { within: 20_000, what: 'the rest of the queue' });
  });

  it('does not run hot on a timer that nothing can fire', async () => {
    const { loop, scheduler } = await lead({ leaseSeconds: 60 });
    await eventually(() => loop.isLeader);
    await given.sql.query(
      `insert into timers (run_id, step_no, kind, due_at) values (gen_random_uuid(), 1, 'retry', now() - interval '1 hour')`,
    );
    const rounds = async () =>
      Number((await scheduler.metrics.text()).match(/flowforge_sweep_found_total\{[^}]*kind="timer"[^}]*\} (\d+)/)?.[1] ?? 0);
    const before = await eventually(async () => (await rounds()) > 0 && { rounds: await rounds(), at: performance.now() });
    await eventually(() => performance.now() - before.at > 500);
    expect((await rounds()) - before.rounds).toBeLessThan(20);
  });

  it('sends again what an emptied server has lost, before any lease has run out', async () => {
    const { loop, bell, scheduler } = await lead({ leaseSeconds: 60 });
    const id = await given.run({ plan: aPlan({ only: {} }), deployment });
    bell.ring();
    await eventually(async () => (await scheduler.waitingTasks(deployment.name)).length === 1 && loop.isLeader);
    broker.flush();
    await eventually(async () => (await scheduler.waitingTasks(deployment.name))[0]?.dispatchNo === 2, { what: 'the task again' });
    expect(await given.stepOf(id)).toMatchObject({ dispatch_no: 2, worker_losses: 0 });
  });

  it('tells its process when the epoch was raised; what was sent before is not believed by the next one', async () => {
    const first = await lead();
    const id = await given.run({ plan: aPlan({ only: {} }), deployment });
    first.bell.ring();
    const [task] = await eventually(async () => {
      const tasks = await first.scheduler.waitingTasks(deployment.name);
      return tasks.length > 0 && tasks;
    });
    await given.rows(`select flowforge_raise_epoch('restored')`);
    await eventually(() => first.epochs.includes(2), { what: 'the new epoch to be seen' });
    await first.loop.stop();

    const next = await GivenScheduler.open({ database, epoch: 2, leaseSeconds: 0.1, heartbeatSeconds: 0.05 });
    if (!task) throw new Error('The task is missing.');
    await next.reports.apply(deliveriesOf(deployment.name, [reportOf(task)]));
    expect(await given.stepOf(id)).toMatchObject({ state: 'DISPATCHED', epoch: 1 });
    const [again] = await eventually(async () => {
      await next.sweeps.sweep(false);
      const tasks = await next.waitingTasks(deployment.name);
      return tasks.length > 0 && tasks;
    });
    expect(again).toMatchObject({ runId: id, epoch: 2, dispatchNo: 2 });
    if (again) await next.reports.apply(deliveriesOf(deployment.name, [reportOf(again)]));
    expect((await given.statesOf(id)).run).toBe('SUCCEEDED');
    await next.close();
  });

  it('writes nothing into a restored database before it has seen the new epoch', async () => {
    const scheduler = await GivenScheduler.open({ database });
    const early = await given.run({ plan: aPlan({ only: {} }), deployment });
    await scheduler.admission.admitAll();
    const task = (await scheduler.takeTasks(deployment.name)).find(({ runId }) => runId === early);
    if (!task) throw new Error('The task is missing.');
    await given.rows(`select flowforge_raise_epoch('restored')`);

    await expect(scheduler.reports.apply(deliveriesOf(deployment.name, [reportOf(task)]))).rejects.toBeInstanceOf(HandlerUnavailable);
    const fresh = await given.run({ plan: aPlan({ only: {} }), deployment });
    await expect(scheduler.admission.admitAll()).rejects.toMatchObject({ code: 'epoch.changed', kind: 'outage' });

    expect(await given.stepOf(early)).toMatchObject({ state: 'DISPATCHED', version: 1 });
    expect((await given.statesOf(fresh)).run).toBe('CREATED');
    await scheduler.close();
  });

  it('forgets idempotency keys when their time is over, and no others', async () => {
    const runId = await given.run({ plan: aPlan({ only: {} }), deployment });
    await given.rows(
      `insert into idempotency_keys (scope, key, body_hash, run_id, created_at)
       select 'w', 'key ' || n, '\\x00', $1, now() - n * interval '1 hour' from generate_series(1, 6000) as n`,
      [runId],
    );
    await lead();
    const keys = async () => (await given.rows<{ n: number }>('select count(*)::int as n from idempotency_keys'))[0]?.n;
    await eventually(async () => (await keys()) === 23);
  });

  it('goes on after the database was away', async () => {
    const { loop, bell } = await lead();
    await eventually(() => loop.isLeader);
    for (let round = 0; round < 5; round += 1) {
      await given.rows(
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name like 'flowforge-scheduler%'`,
      );
    }
    const id = await given.run({ plan: aPlan({ only: {} }), deployment });
    bell.ring();
    await eventually(async () => (await given.statesOf(id)).run === 'RUNNING');
  });
});
