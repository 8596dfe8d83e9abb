import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cancelMark } from '#contracts';
import type { RunEvent } from '#core';
import { BatchFailure, HandlerUnavailable, StreamBroker } from '#transport';
import { type TestDatabase, databaseServers } from '#testing';
import { type GivenDeployment, GivenRows } from '../../../../libs/testing/src/given/given-rows.ts';
import { GivenScheduler, deliveriesOf, reportOf, startOf } from '../../../../libs/testing/src/given/given-scheduler.ts';
import { aChain, aPlan } from '../../../../libs/testing/src/given/plan.ts';

const diamond = aPlan({ top: {}, left: { needs: ['top'] }, right: { needs: ['top'] }, join: { needs: ['left', 'right'] } });
const sixRows = [
  { step: 0, version: 1, from: null, to: 'CREATED' },
  { step: 0, version: 2, from: 'CREATED', to: 'RUNNING' },
  { step: 1, version: 1, from: 'PENDING', to: 'DISPATCHED' },
  { step: 1, version: 2, from: 'DISPATCHED', to: 'RUNNING' },
  { step: 1, version: 3, from: 'RUNNING', to: 'SUCCEEDED' },
  { step: 0, version: 3, from: 'RUNNING', to: 'SUCCEEDED' },
];

describe.each(databaseServers())('advancing runs on $name', ({ cloneDatabase }) => {
  let database: TestDatabase;
  let given: GivenRows;
  let deployment: GivenDeployment;
  let schedulers: GivenScheduler[];
  const broker = new StreamBroker();

  beforeAll(async () => {
    database = await cloneDatabase();
    given = await GivenRows.open(database);
    deployment = await given.deployment();
    schedulers = await Promise.all([1, 2, 3].map(() => GivenScheduler.open({ database, broker })));
  });
  afterAll(async () => {
    await Promise.all(schedulers.map((scheduler) => scheduler.close()));
    expect(await given.faults()).toEqual([]);
    await given.close();
    await database.drop();
  });

  const first = () => schedulers[0] as GivenScheduler;
  const submitted = (count: number, plan = aChain(1)) => given.runs(count, { plan, deployment });
  /** Admits all and takes the tasks of these runs. */
  const admitted = async (ids: readonly string[]) => {
    await first().admission.admitAll();
    return (await first().takeTasks(deployment.name)).filter((task) => ids.includes(task.runId));
  };
  const apply = (reports: readonly object[], scheduler = first(), from = deployment.name) =>
    scheduler.reports.apply(deliveriesOf(from, reports));

  it('leaves six rows of audit of a run with one step, in the order in which it happened', async () => {
    const [id = ''] = await submitted(1);
    const [task] = await admitted([id]);
    expect(task).toMatchObject({
      runId: id,
      stepNo: 1,
      epoch: 1,
      dispatchNo: 1,
      attempt: 1,
      idempotencyKey: `${id}:1`,
      step: 's1',
      uses: 'noop',
    });
    await apply([reportOf(task ?? never(), { output: { rows: 3 } })]);
    expect(await given.auditOf(id)).toEqual(sixRows);
    expect(await given.rows('select output, error from step_outputs where run_id = $1', [id])).toEqual([
      { output: { rows: 3 }, error: null },
    ]);
    expect(await given.rows('select from live_runs where run_id = $1', [id])).toEqual([]);
  });

  it.each([5, 100])('lets one of %d racing reports win, from three schedulers, and audits it once', async (count) => {
    const [id = ''] = await submitted(1);
    const [task = never()] = await admitted([id]);
    const racing = Array.from({ length: count }, (_, at) => apply([reportOf(task, { output: at })], schedulers[at % 3]));
    await Promise.all(racing);
    expect(await given.auditOf(id)).toEqual(sixRows);
    const winners = await given.rows<{ output: number; cause_id: string }>(
      'select output, cause_id from step_outputs join step_runs using (run_id, step_no) where run_id = $1',
      [id],
    );
    expect(winners).toHaveLength(1);
  });

  it('ends 60 runs once whose reports come shuffled, doubled and to all three schedulers at once', async () => {
    const ids = [...(await submitted(40)), ...(await submitted(20, diamond))];
    const done = new Set<string>();
    for (
      let tasks = await admitted(ids);
      tasks.length > 0;
      tasks = (await first().takeTasks(deployment.name)).filter(({ runId }) => ids.includes(runId))
    ) {
      for (const { runId, stepNo } of tasks) {
        // A task that is sent twice would be worked on twice.
        expect(done.has(`${runId} ${stepNo}`)).toBe(false);
        done.add(`${runId} ${stepNo}`);
      }
      const reports = tasks.flatMap((task) => [startOf(task), reportOf(task)]);
      await Promise.all(schedulers.map((scheduler) => apply(shuffled([...reports, ...reports]), scheduler)));
    }
    const states = await Promise.all(ids.map((id) => given.statesOf(id)));
    expect(new Set(states.map(({ run }) => run))).toEqual(new Set(['SUCCEEDED']));
    expect(await given.auditOf(ids[0] ?? '')).toEqual(sixRows);
    expect(await given.auditOf(ids[40] ?? '')).toHaveLength(3 + 4 * 3);
    expect(await given.faults()).toEqual([]);
  });

  it('fires a join once that three schedulers feed at the same time', async () => {
    const ids = await submitted(20, diamond);
    await apply((await admitted(ids)).map((task) => reportOf(task)));
    const tasks = (await first().takeTasks(deployment.name)).filter(({ runId }) => ids.includes(runId));
    expect(tasks).toHaveLength(40);
    await Promise.all(
      [2, 3].flatMap((no) =>
        schedulers.map((scheduler) =>
          apply(
            tasks.filter(({ stepNo }) => stepNo === no).map((task) => reportOf(task)),
            scheduler,
          ),
        ),
      ),
    );
    const joins = await first().takeTasks(deployment.name);
    expect(joins.filter(({ runId, stepNo }) => ids.includes(runId) && stepNo === 4)).toHaveLength(20);
    await apply(joins.map((task) => reportOf(task)));
    expect((await given.statesOf(ids[7] ?? '')).run).toBe('SUCCEEDED');
  });

  it('fires a join of three whose needs end two at once, then one', async () => {
    const [id = ''] = await submitted(1, aPlan({ a: {}, b: {}, c: {}, join: { needs: ['a', 'b', 'c'] } }));
    const [one, two, three] = await admitted([id]);
    await apply([one, two].flatMap((task) => (task ? [reportOf(task)] : [])));
    expect((await given.statesOf(id)).steps).not.toHaveProperty('join');
    await apply(three ? [reportOf(three)] : []);
    expect((await given.statesOf(id)).steps).toMatchObject({ join: 'DISPATCHED' });
  });

  it('runs a thousand steps side by side, whose reports three schedulers share', async () => {
    const names = Array.from({ length: 1_000 }, (_, at) => `s${at + 1}`);
    const [id = ''] = await submitted(1, aPlan(Object.fromEntries(names.map((name) => [name, {}]))));
    const tasks = await admitted([id]);
    expect(tasks).toHaveLength(1_000);
    const reports = tasks.map((task) => reportOf(task));
    await Promise.all(
      schedulers.map((scheduler, at) =>
        apply(
          reports.filter((_report, no) => no % 3 === at),
          scheduler,
        ),
      ),
    );
    expect((await given.statesOf(id)).run).toBe('SUCCEEDED');
    expect(await given.auditOf(id)).toHaveLength(3 + 3 * 1_000);
  });

  it('counts what became of reports: applied, settled, stale', async () => {
    const [id = ''] = await submitted(1);
    const [task = never()] = await admitted([id]);
    const events = new Map<string, RunEvent[]>([
      [id, [endOf(task, deployment), endOf(task, deployment), endOf({ ...task, dispatchNo: 7 }, deployment)]],
    ]);
    const { verdicts, refused } = await first().advance.advance(events);
    expect([...verdicts.values()]).toEqual(['applied', 'settled', 'settled']);
    expect(refused.size).toBe(0);
    const again = await first().advance.advance(events);
    expect([...again.verdicts.values()]).toEqual(['settled', 'settled', 'settled']);
  });

  it('turns a report away that comes from another deployment, and one that nobody understands, and takes those beside them', async () => {
    const other = await given.deployment();
    await first().deployments.refresh();
    const ids = await submitted(2);
    const [one = never(), two = never()] = await admitted(ids);
    const batch = [...deliveriesOf(other.name, [reportOf(one)]), ...deliveriesOf(deployment.name, [{ nonsense: true }, reportOf(two)])];
    const failure = await first()
      .reports.apply(batch)
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(BatchFailure);
    expect(new Set((failure as BatchFailure).failed.keys())).toEqual(new Set(batch.slice(0, 2)));
    expect((await given.statesOf(one.runId)).run).toBe('RUNNING');
    expect((await given.statesOf(two.runId)).run).toBe('SUCCEEDED');
    await apply([reportOf(one)]);
  });

  it('does not let one row that the database refuses sink five hundred', async () => {
    const ids = await submitted(500);
    const tasks = await admitted(ids);
    const [bad = never()] = tasks;
    const [row] = await given.rows<{ cause_id: string }>('select cause_id from step_runs where run_id = $1', [bad.runId]);
    // A move under the cause of the one before is what the trigger refuses.
    const batch = deliveriesOf(
      deployment.name,
      shuffled(tasks.map((task) => reportOf(task, task === bad ? { id: row?.cause_id ?? '' } : {}))),
    );
    const failure = await first()
      .reports.apply(batch)
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(BatchFailure);
    const guilty = batch.find(({ body }) => body.includes(bad.runId));
    expect([...(failure as BatchFailure).failed]).toEqual([[guilty, expect.stringContaining('cause of its own')]]);
    const states = await given.rows<{ state: string; count: number }>(
      'select state::text, count(*)::int as count from workflow_runs where id = any($1) group by 1 order by 1',
      [ids],
    );
    expect(states).toEqual([
      { state: 'RUNNING', count: 1 },
      { state: 'SUCCEEDED', count: 499 },
    ]);
    await apply([reportOf(bad)]);
  });

  it('does not let one run whose rows make no sense sink the others', async () => {
    const ids = await submitted(3, diamond);
    const tops = await admitted(ids);
    await apply(tops.map((task) => reportOf(task)));
    const tasks = (await first().takeTasks(deployment.name)).filter(({ runId }) => ids.includes(runId));
    const [bad = ''] = ids;
    await given.sql.query('update step_waits set unmet = 0 where run_id = $1', [bad]);
    const failure = await apply(tasks.map((task) => reportOf(task))).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(BatchFailure);
    expect((failure as BatchFailure).failed.size).toBe(2);
    for (const id of ids.slice(1)) expect((await given.statesOf(id)).steps).toMatchObject({ join: 'DISPATCHED' });
    await given.sql.query('update step_waits set unmet = 2 where run_id = $1', [bad]);
    await apply(tasks.filter(({ runId }) => runId === bad).map((task) => reportOf(task)));
    await apply((await first().takeTasks(deployment.name)).map((task) => reportOf(task)));
    for (const id of ids) expect((await given.statesOf(id)).run).toBe('SUCCEEDED');
  });

  it('gets over a session that is ended in the middle: the outage is told, and repeating gives the right end', async () => {
    const ids = await submitted(200);
    const batch = deliveriesOf(
      deployment.name,
      (await admitted(ids)).flatMap((task) => [startOf(task), reportOf(task)]),
    );
    // The rows of one run are held, so that the batch stands in its transaction while its session is ended.
    await given.sql.query('begin');
    await given.sql.query('select from live_runs where run_id = $1 for update', [ids[0]]);
    const applied = first()
      .reports.apply(batch)
      .catch((error: unknown) => error);
    const waiting = `select pid from pg_stat_activity where application_name = 'flowforge-scheduler-write' and wait_event_type = 'Lock' and datname = current_database()`;
    let blocked: { pid: number }[] = [];
    while (blocked.length === 0) blocked = await given.rows(waiting);
    await given.rows('select pg_terminate_backend($1)', [blocked[0]?.pid]);
    expect(await applied).toBeInstanceOf(HandlerUnavailable);
    await given.sql.query('rollback');
    await first().reports.apply(batch);
    await first().reports.apply(batch);
    for (const id of [ids[0] ?? '', ids[199] ?? '']) expect(await given.auditOf(id)).toEqual(sixRows);
    expect(await given.faults()).toEqual([]);
  });

  it('cancels what was asked for once, whatever schedulers look at it', async () => {
    const [id = ''] = await submitted(1, diamond);
    const [task = never()] = await admitted([id]);
    expect(await given.cancel(id)).toBe(true);
    await Promise.all(schedulers.map((scheduler) => scheduler.sweeps.fireDue()));
    expect(await given.statesOf(id)).toEqual({
      run: 'CANCELLED',
      steps: { top: 'CANCELLED', left: 'CANCELLED', right: 'CANCELLED', join: 'CANCELLED' },
    });
    await apply([reportOf(task)]);
    expect((await given.auditOf(id)).map(({ step, to }) => `${step} ${to}`)).toEqual([
      ...['0 CREATED', '0 RUNNING', '1 DISPATCHED', '0 CANCELLING'],
      ...['1 CANCELLED', '2 CANCELLED', '3 CANCELLED', '4 CANCELLED', '0 CANCELLED'],
    ]);
    expect(await first().transport.marks([cancelMark(deployment.name, id, 1)])).toEqual(['1']);
    expect(schedulers.flatMap(({ emitted }) => emitted)).toContainEqual({
      pattern: `control.${deployment.name}`,
      data: { v: 1, session: null, drop: [[id, 1, 1]], reason: 'cancelled' },
    });
  });

  it('races a cancel against the last report: whoever comes first, the run ends once and legally', async () => {
    const ids = await submitted(30);
    const tasks = await admitted(ids);
    await Promise.all([...ids.map((id) => given.cancel(id)), ...tasks.map((task, at) => apply([reportOf(task)], schedulers[at % 3]))]);
    await first().sweeps.fireDue();
    for (const id of ids) {
      const ends = (await given.auditOf(id)).filter(({ step, to }) => step === 0 && ['SUCCEEDED', 'CANCELLED'].includes(to));
      expect(ends).toHaveLength(1);
    }
    expect(await given.faults()).toEqual([]);
  });

  it('writes nothing of a decision about a run that was cancelled before it was written', async () => {
    const [id = never()] = await submitted(1);
    const [task = never()] = await admitted([id]);
    const event: RunEvent = {
      kind: 'ended',
      causeId: randomUUID(),
      actor: 'worker:late',
      stepNo: 1,
      token: task,
      from: deployment.id,
      outcome: 'succeeded',
      ranMs: 1,
      output: null,
      error: null,
      dice: 0.5,
    };

    const { refused } = await first().advance.advance(new Map([[id, [event]]]), async () => {
      await given.cancel(id);
      return new Set([id]);
    });

    expect([...refused.values()]).toEqual([]);
    expect((await given.statesOf(id)).run).toBe('CANCELLING');
    await first().sweeps.fireDue();
    expect((await given.statesOf(id)).run).toBe('CANCELLED');
  });
});

function endOf(task: { stepNo: number; epoch: number; dispatchNo: number }, from: GivenDeployment): RunEvent {
  const { stepNo, epoch, dispatchNo } = task;
  const head = { causeId: randomUUID(), actor: 'worker:test', stepNo, token: { epoch, dispatchNo }, from: from.id };
  return { kind: 'ended', ...head, outcome: 'succeeded', ranMs: 1, output: null, error: null, dice: 0.5 };
}

function shuffled<Item>(items: readonly Item[]): Item[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .toSorted((one, other) => one.at - other.at)
    .map(({ item }) => item);
}

function never(): never {
  throw new Error('A task is missing.');
}
