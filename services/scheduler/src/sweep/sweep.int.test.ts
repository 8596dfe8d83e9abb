import { randomUUID } from 'node:crypto';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type TaskMessage, groups, streams } from '#contracts';
import { HandlerUnavailable } from '#transport';
import { type TestDatabase, databaseServers, eventually } from '#testing';
import { type GivenDeployment, GivenRows } from '../../../../libs/testing/src/given/given-rows.ts';
import { GivenScheduler, consuming, deliveriesOf, reportOf, startOf } from '../../../../libs/testing/src/given/given-scheduler.ts';
import { aChain, aPlan } from '../../../../libs/testing/src/given/plan.ts';

const leaseSeconds = 0.2;
const single = aPlan({ only: { retry: { attempts: 2, backoffMs: 1 } } });

describe.each(databaseServers())('sweeping on $name', ({ cloneDatabase }) => {
  const opened: (() => Promise<void>)[] = [];
  let database: TestDatabase;
  let given: GivenRows;
  let deployment: GivenDeployment;
  let one: GivenScheduler;
  let other: GivenScheduler;

  // A database for each test: a sweep looks at everything.
  beforeEach(async () => {
    database = await cloneDatabase();
    given = await GivenRows.open(database);
    deployment = await given.deployment();
    const options = { database, leaseSeconds, heartbeatSeconds: 0.05, workerLossesMax: 2, silentLossesMax: 4 };
    one = await GivenScheduler.open(options);
    other = await GivenScheduler.open({ ...options, broker: one.broker });
    const [mine, rows, first, second] = [database, given, one, other];
    opened.push(async () => {
      await Promise.all([first.close(), second.close(), rows.close()]);
      await mine.drop();
    });
  });
  afterAll(async () => {
    for (const close of opened) await close();
  });

  /** A run whose task was taken from the stream by somebody. */
  const taken = async (plan = single): Promise<TaskMessage> => {
    const id = await given.run({ plan, deployment });
    await one.admission.admitAll();
    const [task] = await one.takeTasks(deployment.name);
    if (task?.runId !== id) throw new Error('The task is missing.');
    return task;
  };
  const beat = async (
    held: readonly TaskMessage[],
    {
      session = randomUUID(),
      from = deployment.name,
      leaving = false,
      begun,
    }: { session?: string; from?: string; leaving?: boolean; begun?: number } = {},
  ) => {
    const message = {
      ...(begun === undefined ? {} : { begun }),
      ...{ v: 1, session, worker: 'worker-1', epoch: 1, concurrency: 4, kinds: ['noop'], leaving },
      held: held.map(({ runId, stepNo, dispatchNo }) => [runId, stepNo, dispatchNo]),
    };
    const [delivery] = deliveriesOf(from, [message]);
    if (delivery) await one.heartbeats.take([{ ...delivery, stream: streams.heartbeats(from) }]);
    // Sweeps are quick here, machines may be slow: a lease outlives the test unless it lets time pass.
    await given.sql.query(`update worker_sessions set expires_at = expires_at + interval '1 minute' where session = $1`, [session]);
    return session;
  };
  const apply = (...reports: object[]) => one.reports.apply(deliveriesOf(deployment.name, reports));
  /** Lets time pass for the rows: steps moved, sessions beat, timers were set so many seconds earlier. */
  const age = async (seconds: number) => {
    await given.sql.query(`set session_replication_role = replica`);
    await given.sql.query(
      `update step_runs set changed_at = changed_at - make_interval(secs => $1), created_at = created_at - make_interval(secs => $1)`,
      [seconds],
    );
    await given.sql.query(`update worker_sessions set expires_at = expires_at - make_interval(secs => $1)`, [seconds]);
    await given.sql.query(`update timers set due_at = due_at - make_interval(secs => $1)`, [seconds]);
    await given.sql.query(`set session_replication_role = origin`);
  };
  const sweepBoth = () => Promise.all([one.sweeps.sweep(false), other.sweeps.sweep(false)]);
  const sweepUntil = (done: () => Promise<boolean>, what: string) =>
    eventually(
      async () => {
        await sweepBoth();
        return done();
      },
      { what },
    );

  it('sends a step again whose session is gone, and counts one loss, with two sweepers', async () => {
    const task = await taken();
    await beat([task]);
    await age(100);
    await sweepUntil(async () => (await one.waitingTasks(deployment.name)).length > 0, 'the task');
    expect(await given.stepOf(task.runId)).toMatchObject({
      state: 'DISPATCHED',
      dispatch_no: 2,
      attempt: 1,
      worker_losses: 1,
      reason: 'worker.lost',
    });
    expect(await one.waitingTasks(deployment.name)).toMatchObject([
      { runId: task.runId, dispatchNo: 2, attempt: 1, idempotencyKey: task.idempotencyKey },
    ]);
    await apply(reportOf(task), reportOf({ ...task, dispatchNo: 2 }));
    expect((await given.auditOf(task.runId)).map(({ step, to }) => `${step} ${to}`)).toEqual([
      ...['0 CREATED', '0 RUNNING', '1 DISPATCHED', '1 DISPATCHED', '1 RUNNING', '1 SUCCEEDED', '0 SUCCEEDED'],
    ]);
    expect(await given.faults({ quiescent: false })).toEqual([]);
  });

  it('fails a step in the end that takes its workers with it', async () => {
    const task = await taken();
    for (let loss = 1; loss <= 3; loss += 1) {
      await beat([{ ...task, dispatchNo: loss }]);
      await age(100);
      await sweepUntil(async () => Number((await given.stepOf(task.runId))['worker_losses']) === loss, `loss ${loss}`);
      await one.takeTasks(deployment.name);
    }
    expect(await given.statesOf(task.runId)).toEqual({ run: 'FAILED', steps: { only: 'FAILED' } });
    expect(await given.stepOf(task.runId)).toMatchObject({ reason: 'step.worker_lost', worker_losses: 3 });
  });

  it('counts the loss of a worker against the steps that it had begun, not against those that waited there', async () => {
    const [poison, innocent] = [await taken(), await taken()];
    for (let loss = 1; loss <= 3; loss += 1) {
      await beat(
        [
          { ...poison, dispatchNo: loss },
          { ...innocent, dispatchNo: loss },
        ],
        { begun: 1 },
      );
      await age(100);
      await sweepUntil(async () => Number((await given.stepOf(innocent.runId))['dispatch_no']) === loss + 1, `loss ${loss}`);
      await sweepUntil(async () => Number((await given.stepOf(poison.runId))['worker_losses']) === loss, `loss ${loss}`);
      await one.takeTasks(deployment.name);
    }
    expect(await given.stepOf(poison.runId)).toMatchObject({ state: 'FAILED', reason: 'step.worker_lost' });
    expect(await given.stepOf(innocent.runId)).toMatchObject({ state: 'DISPATCHED', worker_losses: 0, reason: 'worker.lost' });
  });

  it('counts the loss of a worker whose report of the start came after its last heartbeat', async () => {
    const task = await taken();
    await beat([task], { begun: 0 });
    await apply(startOf(task));
    await age(100);
    await sweepUntil(async () => (await one.waitingTasks(deployment.name)).length > 0, 'the task');
    expect(await given.stepOf(task.runId)).toMatchObject({ dispatch_no: 2, worker_losses: 1 });
  });

  it('fails a step in the end that takes its workers with it before they tell that it had begun', async () => {
    const task = await taken();
    for (let loss = 1; loss <= 7; loss += 1) {
      await beat([{ ...task, dispatchNo: loss }], { begun: 0 });
      await age(100);
      const isLost = async () => {
        const step = await given.stepOf(task.runId);
        return Number(step['dispatch_no']) === loss + 1 || step['state'] === 'FAILED';
      };
      await sweepUntil(isLost, `loss ${loss}`);
      await one.takeTasks(deployment.name);
    }
    // Four that nothing explains, then each counts: two are allowed.
    expect(await given.stepOf(task.runId)).toMatchObject({ state: 'FAILED', reason: 'step.worker_lost', dispatch_no: 7, worker_losses: 3 });
  });

  it('does not send a step again whose report is with a scheduler that cannot write it', async () => {
    const task = await taken();
    await age(100);
    const stream = streams.reports(deployment.name);
    const consumer = one.transport.consume({
      ...consuming(groups.schedulers, stream),
      batchMax: 500,
      handle: () => Promise.reject(new HandlerUnavailable('The database is away.')),
    });
    await one.transport.add([{ stream, body: JSON.stringify(reportOf(task)) }]);
    await eventually(async () => (await one.transport.depth(stream, groups.schedulers)).pending > 0);
    const since = performance.now();
    await sweepUntil(async () => Promise.resolve(performance.now() - since > leaseSeconds * 5_000), 'five leases');
    expect(await given.stepOf(task.runId)).toMatchObject({ state: 'DISPATCHED', dispatch_no: 1 });
    await consumer.stop({ graceMs: 0 });
    one.broker.drop(stream);
    await sweepUntil(async () => (await one.waitingTasks(deployment.name)).length > 0, 'the task');
  });

  it('leaves alone what a living session holds, however long it takes', async () => {
    const task = await taken();
    await apply(startOf(task));
    await age(30);
    await beat([task]);
    await sweepBoth();
    expect(await given.stepOf(task.runId)).toMatchObject({ state: 'RUNNING', dispatch_no: 1 });
  });

  it.each(['waits in the stream', 'is with a scheduler that cannot write it'])(
    'leaves a step to a worker whose lease ran out while its heartbeat %s, and takes it when none comes any more',
    async (where) => {
      const task = await taken();
      await apply(startOf(task));
      const session = await beat([task]);
      await age(100);
      const stream = streams.heartbeats(deployment.name);
      const held = [[task.runId, task.stepNo, task.dispatchNo]];
      const message = { v: 1, session, worker: 'worker-1', epoch: 1, concurrency: 4, kinds: ['noop'], leaving: false, held };
      const depth = () => one.transport.depth(stream, groups.schedulers);
      const consumer = one.transport.consume({
        ...consuming(groups.schedulers, ...(where.startsWith('is with') ? [stream] : [])),
        batchMax: 500,
        handle: () => Promise.reject(new HandlerUnavailable('The database is away.')),
      });
      await one.transport.add([{ stream, body: JSON.stringify(message) }]);
      await eventually(async () => {
        const { pending, oldestWaitingMs } = await depth();
        return pending > 0 || (oldestWaitingMs ?? 0) > leaseSeconds * 1_000;
      });
      await one.sweeps.sweep(false);
      expect(await given.stepOf(task.runId)).toMatchObject({ state: 'RUNNING', dispatch_no: 1 });
      await consumer.stop({ graceMs: 0 });
      one.broker.drop(stream);
      await sweepUntil(async () => (await one.waitingTasks(deployment.name)).length > 0, 'the task');
      expect(await given.stepOf(task.runId)).toMatchObject({ dispatch_no: 2, worker_losses: 1 });
    },
  );

  it('sends a message again that was lost on its way, and counts no loss', async () => {
    const task = await taken();
    await age(100);
    await sweepUntil(async () => (await one.waitingTasks(deployment.name)).length > 0, 'the task');
    expect(await given.stepOf(task.runId)).toMatchObject({ state: 'DISPATCHED', dispatch_no: 2, worker_losses: 0, reason: 'task.lost' });
  });

  it('does not send a step again that waits in its stream for its turn', async () => {
    const id = await given.run({ plan: single, deployment });
    await one.admission.admitAll();
    await age(60);
    const since = performance.now();
    await sweepUntil(async () => Promise.resolve(performance.now() - since > leaseSeconds * 3_000), 'three leases');
    expect(await given.stepOf(id)).toMatchObject({ dispatch_no: 1 });
    expect(await one.waitingTasks(deployment.name)).toHaveLength(1);
  });

  it('finds a lost step behind more steps than one look takes, which wait for a deployment without workers', async () => {
    const busy = await given.deployment();
    await Promise.all([one.deployments.refresh(), other.deployments.refresh()]);
    const wide = aPlan(Object.fromEntries(Array.from({ length: 1_100 }, (_, at) => [`s${at + 1}`, {}])));
    await given.run({ plan: wide, deployment: busy });
    await one.admission.admitAll();
    await age(5);
    const task = await taken();
    await beat([task]);
    await age(100);
    await sweepUntil(async () => (await one.waitingTasks(deployment.name)).length > 0, 'the task');
    expect(await one.waitingTasks(busy.name)).toHaveLength(1_100);
  });

  it("does not believe another deployment's session that it holds a step", async () => {
    const stranger = await given.deployment();
    await one.deployments.refresh();
    const task = await taken();
    await age(100);
    const session = randomUUID();
    await sweepUntil(async () => {
      await beat([task], { session, from: stranger.name });
      return (await one.waitingTasks(deployment.name)).length > 0;
    }, 'the task');
    expect(await given.stepOf(task.runId)).toMatchObject({ dispatch_no: 2, worker_losses: 0 });
    // Nor does a stranger take over a session by its name.
    const own = await beat([task]);
    await beat([], { session: own, from: stranger.name });
    expect(await given.rows('select deployment_id, held_steps from worker_sessions where session = $1', [own])).toEqual([
      { deployment_id: deployment.id, held_steps: [1] },
    ]);
  });

  it('ends a step that its worker holds beyond its timeout', async () => {
    const task = await taken(aPlan({ only: { timeoutSeconds: 30, retry: { attempts: 2, backoffMs: 1 } } }));
    await apply(startOf(task));
    await beat([task]);
    await age(4);
    await beat([task]);
    await sweepBoth();
    expect(await given.stepOf(task.runId)).toMatchObject({ state: 'RUNNING' });
    await age(60);
    await beat([task]);
    await sweepBoth();
    expect(await given.stepOf(task.runId)).toMatchObject({ state: 'RETRYING', reason: 'step.timeout' });
    expect([...one.emitted, ...other.emitted]).toContainEqual({
      pattern: `control.${deployment.name}`,
      data: { v: 1, session: null, drop: [[task.runId, 1, 1]], reason: 'stale' },
    });
  });

  it('fires timers that are due, each once, with two sweepers', async () => {
    const plan = aPlan({
      pause: { uses: 'delay', input: { duration: '1h' } },
      flaky: { retry: { attempts: 2, backoffMs: 3_600_000, maxBackoffMs: 3_600_000 } },
    });
    const ids = await given.runs(20, { plan, deployment });
    await one.admission.admitAll();
    for (const task of await one.takeTasks(deployment.name)) {
      await apply(reportOf(task, { outcome: 'failed', error: { code: 'step.broken', message: 'It broke.', retryable: true } }));
    }
    const fireBoth = () => Promise.all([one.sweeps.fireDue(), other.sweeps.fireDue()]);
    await fireBoth();
    expect(await given.rows('select from timers')).toHaveLength(40);
    expect(await one.sweeps.nextTimerInMs()).toBeGreaterThan(3_500_000);
    await age(3_600);
    expect(await one.sweeps.nextTimerInMs()).toBe(0);
    await fireBoth();
    expect(await given.rows('select from timers')).toEqual([]);
    expect(await one.sweeps.nextTimerInMs()).toBeNull();
    const tasks = await one.takeTasks(deployment.name);
    expect(tasks).toHaveLength(20);
    expect(new Set(tasks.map(({ attempt, dispatchNo }) => `${attempt} ${dispatchNo}`))).toEqual(new Set(['2 2']));
    for (const task of tasks) await apply(reportOf(task));
    expect(await given.runStates()).toEqual({ SUCCEEDED: ids.length });
    expect(await given.faults()).toEqual([]);
  });

  it('takes a run that waited through the queue again', async () => {
    const plan = aPlan({ pause: { uses: 'delay', input: { duration: '1h' } }, after: { needs: ['pause'] } });
    const id = await given.run({ plan, deployment });
    await one.admission.admitAll();
    expect((await given.statesOf(id)).run).toBe('WAITING');
    await age(3_600);
    await one.sweeps.fireDue();
    expect(await given.statesOf(id)).toEqual({ run: 'QUEUED', steps: { pause: 'SUCCEEDED' } });
    await one.admission.admitAll();
    expect(await given.statesOf(id)).toEqual({ run: 'RUNNING', steps: { pause: 'SUCCEEDED', after: 'DISPATCHED' } });
  });

  it('ends runs at their deadline, whether they run, wait or queue', async () => {
    const plan = aPlan({ pause: { uses: 'delay', input: { duration: '1h' } } });
    const running = await given.run({ plan: single, deployment, timeoutSeconds: 0.001 });
    const waiting = await given.run({ plan, deployment, timeoutSeconds: 0.001 });
    await one.admission.admitAll();
    const queued = await given.run({ plan: aChain(3), deployment, timeoutSeconds: 0.001 });
    await eventually(async () => {
      await Promise.all([one.sweeps.fireDue(), other.sweeps.fireDue()]);
      return (await given.rows('select from live_runs')).length === 0;
    });
    for (const id of [running, waiting, queued]) expect((await given.statesOf(id)).run).toBe('TIMED_OUT');
    expect((await given.statesOf(queued)).steps).toEqual({ s1: 'CANCELLED', s2: 'CANCELLED', s3: 'CANCELLED' });
    expect(await given.faults({ quiescent: false })).toEqual([]);
  });

  it('rebuilds emptied streams from the rows, without waiting for a lease', async () => {
    const ids = await given.runs(30, { plan: single, deployment });
    await one.admission.admitAll();
    one.broker.flush();
    await one.sweeps.sweep(true);
    await sweepUntil(async () => (await one.waitingTasks(deployment.name)).length === ids.length, 'all tasks');
    expect(new Set((await one.waitingTasks(deployment.name)).map(({ dispatchNo }) => dispatchNo))).toEqual(new Set([2]));
  });

  it('goes on with all others when one run cannot be moved', async () => {
    const tasks = [await taken(), await taken(), await taken()];
    await beat(tasks);
    const [bad] = tasks;
    await given.sql.query(`set session_replication_role = replica`);
    await given.sql.query('update workflow_runs set version = 9 where id = $1', [bad?.runId]);
    await given.sql.query('update live_runs set remaining = 5, active = 0 where run_id = $1', [bad?.runId]);
    await given.sql.query(`set session_replication_role = origin`);
    await age(100);
    await sweepUntil(async () => (await one.waitingTasks(deployment.name)).length >= 2, 'the tasks of the others');
    expect([...one.logged, ...other.logged].map(({ level }) => level)).not.toContain('fatal');
  });
});
