import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type TaskMessage, streams } from '#contracts';
import { BatchFailure, HandlerUnavailable, type Delivery } from '#transport';
import { type TestDatabase, databaseServers } from '#testing';
import { type GivenDeployment, GivenRows } from '../../../../libs/testing/src/given/given-rows.ts';
import { GivenScheduler, deliveriesOf, reportOf } from '../../../../libs/testing/src/given/given-scheduler.ts';
import { aPlan } from '../../../../libs/testing/src/given/plan.ts';
import { LogController } from '../logs/log.controller.ts';

const single = aPlan({ only: {} });

describe.each(databaseServers())('what workers tell beside their reports, on $name', ({ cloneDatabase }) => {
  let database: TestDatabase;
  let given: GivenRows;
  let deployment: GivenDeployment;
  let scheduler: GivenScheduler;
  let logs: LogController;

  beforeAll(async () => {
    database = await cloneDatabase();
    given = await GivenRows.open(database);
    deployment = await given.deployment();
    scheduler = await GivenScheduler.open({ database, leaseSeconds: 10 });
    logs = new LogController(scheduler.keeping, scheduler.deployments);
  });
  afterAll(async () => {
    await scheduler.close();
    await given.close();
    await database.drop();
  });

  const taken = async (): Promise<TaskMessage> => {
    const id = await given.run({ plan: single, deployment });
    await scheduler.admission.admitAll();
    const task = (await scheduler.takeTasks(deployment.name)).find(({ runId }) => runId === id);
    if (!task) throw new Error('The task is missing.');
    return task;
  };
  const by = (stream: string, bodies: readonly object[]): Delivery[] =>
    deliveriesOf('', bodies).map((delivery) => ({ ...delivery, stream }));
  const heartbeats = (...bodies: object[]) => by(streams.heartbeats(deployment.name), bodies);
  const beatOf = (session: string, held: readonly TaskMessage[] = [], change: object = {}) => ({
    ...{ v: 1, session, worker: 'worker-1', epoch: 1, concurrency: 4, kinds: ['noop', 'http'], leaving: false },
    held: held.map(({ runId, stepNo, dispatchNo }) => [runId, stepNo, dispatchNo]),
    ...change,
  });
  const sessionOf = async (session: string) =>
    (
      await given.rows<Record<string, unknown>>(
        `select *, expires_at - beat_at > interval '9 s' as leased from worker_sessions where session = $1`,
        [session],
      )
    )[0];

  it('renews the lease of a session, with what it holds now', async () => {
    const [one, two] = [await taken(), await taken()];
    const session = randomUUID();
    await scheduler.heartbeats.take(heartbeats(beatOf(session, [one])));
    const before = await sessionOf(session);
    expect(before).toMatchObject({
      deployment_id: deployment.id,
      worker: 'worker-1',
      concurrency: 4,
      kinds: ['noop', 'http'],
      held_runs: [one.runId],
      held_steps: [1],
      held_dispatches: [1],
      leased: true,
    });
    await scheduler.heartbeats.take(heartbeats(beatOf(session, [one, two])));
    const after = await sessionOf(session);
    expect(after).toMatchObject({ held_runs: [one.runId, two.runId], started_at: before?.['started_at'], leased: true });
    expect(Number(after?.['expires_at'])).toBeGreaterThan(Number(before?.['expires_at']));
  });

  it('keeps how many of the steps were begun, and takes the heartbeats of older and of newer workers', async () => {
    const [one, two] = [await taken(), await taken()];
    const session = randomUUID();
    await scheduler.heartbeats.take(heartbeats(beatOf(session, [two, one], { begun: 1 })));
    expect(await sessionOf(session)).toMatchObject({ held_runs: [two.runId, one.runId], held_begun: 1 });
    await scheduler.heartbeats.take(heartbeats(beatOf(session, [two, one])));
    expect(await sessionOf(session)).toMatchObject({ held_begun: null });
    await scheduler.heartbeats.take(heartbeats(beatOf(session, [two], { begun: 0, mood: 'good' })));
    expect(await sessionOf(session)).toMatchObject({ held_runs: [two.runId], held_begun: 0 });
  });

  it('passes over a heartbeat that comes after a newer one', async () => {
    const [one, two] = [await taken(), await taken()];
    const session = randomUUID();
    await scheduler.heartbeats.take(heartbeats(beatOf(session, [one, two], { beat: 11 })));
    const before = await sessionOf(session);
    await scheduler.heartbeats.take(heartbeats(beatOf(session, [one], { beat: 10 })));
    expect(await sessionOf(session)).toEqual(before);
    await scheduler.heartbeats.take(heartbeats(beatOf(session, [two], { beat: 12 })));
    expect(await sessionOf(session)).toMatchObject({ held_runs: [two.runId], beat_no: 12 });
  });

  it("lets the database's clock say when a lease ends, whatever time this process believes it to be", async () => {
    const session = randomUUID();
    const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 3_600_000);
    await scheduler.heartbeats.take(heartbeats(beatOf(session))).finally(() => clock.mockRestore());
    const rows = await given.rows(
      `select expires_at between clock_timestamp() and clock_timestamp() + interval '10 s' as holds from worker_sessions where session = $1`,
      [session],
    );
    expect(rows).toEqual([{ holds: true }]);
  });

  it('takes the newest of several heartbeats of a session in one batch', async () => {
    const task = await taken();
    const session = randomUUID();
    await scheduler.heartbeats.take(heartbeats(beatOf(session), beatOf(session, [task]), beatOf(session, [task], { concurrency: 4 })));
    expect(await sessionOf(session)).toMatchObject({ held_steps: [1] });
  });

  it('forgets a session that leaves', async () => {
    const session = randomUUID();
    await scheduler.heartbeats.take(heartbeats(beatOf(session)));
    await scheduler.heartbeats.take(heartbeats(beatOf(session), beatOf(session, [], { leaving: true })));
    expect(await sessionOf(session)).toBeUndefined();
  });

  it('does not let one deployment say good-bye for a session of another', async () => {
    const other = await given.deployment();
    await scheduler.deployments.refresh();
    const session = randomUUID();
    await scheduler.heartbeats.take(heartbeats(beatOf(session)));
    await scheduler.heartbeats.take(by(streams.heartbeats(other.name), [beatOf(session, [], { leaving: true })]));
    expect(await sessionOf(session)).toMatchObject({ deployment_id: deployment.id });
  });

  it('does not let one deployment say what a session of another holds', async () => {
    const other = await given.deployment();
    await scheduler.deployments.refresh();
    const [session, task] = [randomUUID(), await taken()];
    await scheduler.heartbeats.take(heartbeats(beatOf(session, [task])));
    await scheduler.heartbeats.take(by(streams.heartbeats(other.name), [beatOf(session)]));
    expect(await sessionOf(session)).toMatchObject({ deployment_id: deployment.id, held_runs: [task.runId] });
  });

  it('tells a worker what it holds in vain: what ended, what was cancelled, what was sent again, what never was', async () => {
    const [good, ended, cancelled, again] = [await taken(), await taken(), await taken(), await taken()];
    await scheduler.reports.apply(deliveriesOf(deployment.name, [reportOf(ended)]));
    await given.cancel(cancelled.runId);
    await scheduler.sweeps.fireDue();
    await scheduler.reports.apply(deliveriesOf(deployment.name, [reportOf(again, { outcome: 'cancelled' })]));
    const [session, stranger] = [randomUUID(), randomUUID()];
    scheduler.emitted.length = 0;
    const unknown = { ...good, runId: randomUUID() };
    await scheduler.heartbeats.take(heartbeats(beatOf(session, [good, ended, cancelled, again, unknown]), beatOf(stranger)));
    const held = (...tasks: TaskMessage[]) => tasks.map(({ runId }) => [runId, 1, 1]);
    const told = scheduler.emitted
      .filter(({ pattern }) => pattern === `control.${deployment.name}`)
      .map(({ data }) => data as { reason: string; drop: unknown[] });
    expect(told.find(({ reason }) => reason === 'cancelled')).toEqual({ v: 1, session, reason: 'cancelled', drop: held(cancelled) });
    expect(told.find(({ reason }) => reason === 'stale')).toMatchObject({
      session,
      drop: expect.arrayContaining(held(ended, again, unknown)),
    });
    expect(told.flatMap(({ drop }) => drop)).toHaveLength(4);
  });

  it('turns away what is no heartbeat, and takes those beside it', async () => {
    const session = randomUUID();
    const bad = [
      ...by('heartbeats:nowhere', [beatOf(randomUUID())]),
      ...heartbeats(
        { v: 1 },
        { ...beatOf(randomUUID()), held: [['x', 1, 1]] },
        beatOf(randomUUID(), [], { concurrency: 2 ** 31 }),
        beatOf(randomUUID(), [], { held: [[randomUUID(), 2 ** 31, 1]] }),
        beatOf(randomUUID(), [], { worker: 'a\u0000' }),
        beatOf(randomUUID(), [], { kinds: ['\ud800'] }),
      ),
    ];
    const failure = await scheduler.heartbeats.take([...bad, ...heartbeats(beatOf(session))]).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(BatchFailure);
    expect([...(failure as BatchFailure).failed.keys()]).toEqual(bad);
    expect(await sessionOf(session)).toBeDefined();
  });

  const linesOf = (runId: string) =>
    given.rows<{ line: number; text: string }>(
      'select line, text, level, attempt from workflow_run_logs where run_id = $1 order by dispatch_no, line',
      [runId],
    );
  const logOf = (runId: string, texts: readonly string[], dispatchNo = 1, from = 1) => ({
    ...{ v: 1, runId, stepNo: 1, attempt: 1, dispatchNo },
    lines: texts.map((text, at) => ({ line: from + at, at: Date.now(), level: 'info', text })),
  });
  const write = (deliveries: Delivery[]) => logs.write({ family: 'logs', deliveries });

  it('writes log lines once, however often and in whatever pieces they come', async () => {
    const { runId } = await taken();
    const stream = streams.logs(deployment.name);
    await write(by(stream, [logOf(runId, ['one', 'two']), logOf(runId, ['one', 'two', 'three'])]));
    await write(by(stream, [logOf(runId, ['three'], 1, 3), logOf(runId, ['one again'], 2)]));
    expect((await linesOf(runId)).map(({ line, text }) => `${line} ${text}`)).toEqual(['1 one', '2 two', '3 three', '1 one again']);
  });

  it('leaves out lines of runs that are not the deployment’s own, and of runs that never were', async () => {
    const other = await given.deployment();
    await scheduler.deployments.refresh();
    const { runId } = await taken();
    await write([
      ...by(streams.logs(other.name), [logOf(runId, ['forged'])]),
      ...by(streams.logs(deployment.name), [logOf(randomUUID(), ['lost'])]),
    ]);
    expect(await linesOf(runId)).toEqual([]);
  });

  it('keeps a line with characters that the database has no place for', async () => {
    const { runId } = await taken();
    await write(by(streams.logs(deployment.name), [logOf(runId, ['a\u0000b', 'half \ud800'])]));
    expect((await linesOf(runId)).map(({ text }) => text)).toEqual(['a\u2400b', 'half \ufffd']);
  });

  it('turns away what is no log, and keeps the lines beside it', async () => {
    const { runId } = await taken();
    const stream = streams.logs(deployment.name);
    const [bad, ...good] = by(stream, [{ lines: [] }, logOf(runId, ['kept'])]);
    await expect(write([...(bad ? [bad] : []), ...good])).rejects.toBeInstanceOf(BatchFailure);
    expect(await linesOf(runId)).toMatchObject([{ text: 'kept' }]);
  });

  it.each([Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER])(
    'turns away a line of a time that no calendar has, %d, and keeps the lines beside it',
    async (at) => {
      const { runId } = await taken();
      const log = logOf(runId, ['when?']);
      const batch = by(streams.logs(deployment.name), [
        { ...log, lines: log.lines.map((line) => ({ ...line, at })) },
        logOf(runId, ['kept'], 2),
      ]);
      await expect(write(batch)).rejects.toBeInstanceOf(BatchFailure);
      expect(await linesOf(runId)).toMatchObject([{ text: 'kept' }]);
    },
  );

  it('lets heartbeats, logs and reports wait while the database is away', async () => {
    const task = await taken();
    const away = await GivenScheduler.open({ database });
    await away.close();
    await expect(away.heartbeats.take(heartbeats(beatOf(randomUUID())))).rejects.toBeInstanceOf(HandlerUnavailable);
    await expect(away.reports.apply(deliveriesOf(deployment.name, [reportOf(task)]))).rejects.toBeInstanceOf(HandlerUnavailable);
    const writing = new LogController(away.keeping, away.deployments).write({
      family: 'logs',
      deliveries: by(streams.logs(deployment.name), [logOf(task.runId, ['x'])]),
    });
    await expect(writing).rejects.toBeInstanceOf(HandlerUnavailable);
  });
});
