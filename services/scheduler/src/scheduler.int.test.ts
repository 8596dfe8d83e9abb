import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type TaskMessage, groups, streams } from '#contracts';
import { InProcessStreamTransport, StreamBroker } from '#transport';
import { type TestDatabase, databaseServers, eventually } from '#testing';
import { type GivenDeployment, GivenRows } from '../../../libs/testing/src/given/given-rows.ts';
import { GivenScheduler, consuming, reportOf, startOf } from '../../../libs/testing/src/given/given-scheduler.ts';
import { aChain, aPlan } from '../../../libs/testing/src/given/plan.ts';

const diamond = aPlan({ top: {}, left: { needs: ['top'] }, right: { needs: ['top'] }, join: { needs: ['left', 'right'] } });
const flaky = aPlan({ flaky: { retry: { attempts: 3, backoffMs: 1 } }, after: { needs: ['flaky'] } });
const paused = aPlan({ pause: { uses: 'delay', input: { duration: '50ms' } }, after: { needs: ['pause'] } });

describe.each(databaseServers())('three schedulers and a worker on one stream server, on $name', ({ cloneDatabase }) => {
  let database: TestDatabase;
  let given: GivenRows;
  let deployment: GivenDeployment;
  let schedulers: GivenScheduler[];
  let worker: InProcessStreamTransport;
  const broker = new StreamBroker();
  const done = new Map<string, number>();
  /** What the worker makes of tasks now: it may leave some without a word. */
  let silent = (_task: TaskMessage) => false;

  beforeAll(async () => {
    database = await cloneDatabase();
    given = await GivenRows.open(database);
    deployment = await given.deployment({ limit: 40 });
    schedulers = await Promise.all(
      [1, 2, 3].map(() => GivenScheduler.open({ database, broker, leaseSeconds: 0.3, heartbeatSeconds: 0.1, workerLossesMax: 20 })),
    );
    for (const scheduler of schedulers) scheduler.listen(deployment.name);
    worker = new InProcessStreamTransport(broker);
    worker.consume({
      ...consuming(groups.workers, streams.tasks(deployment.name)),
      batchMax: 20,
      handle: async (batch) => {
        const tasks = batch.map(({ body }) => JSON.parse(body) as TaskMessage).filter((task) => !silent(task));
        await worker.add(
          shuffled(tasks.flatMap(reportsOn)).map((report) => ({ stream: streams.reports(deployment.name), body: JSON.stringify(report) })),
        );
      },
    });
  });
  afterAll(async () => {
    await worker.close();
    await Promise.all(schedulers.map((scheduler) => scheduler.close()));
    await given.close();
    await database.drop();
  });

  /** Starts and ends, doubled; a first try of a flaky step fails. */
  function reportsOn(task: TaskMessage): object[] {
    const failed = { outcome: 'failed' as const, error: { code: 'step.broken', message: 'It broke.', retryable: true } };
    const end = reportOf(task, task.step === 'flaky' && task.attempt < 3 ? failed : { output: { by: task.step } });
    done.set(task.idempotencyKey, (done.get(task.idempotencyKey) ?? 0) + 1);
    return [startOf(task), end, end];
  }
  /** Lets all three do a leader's duties at once until these runs have ended. */
  const untilEnded = async (count: number) => {
    await eventually(
      async () => {
        // One that meets a lost session fails its round, and comes around again.
        await Promise.allSettled(schedulers.map(({ sweeps }) => sweeps.fireDue()));
        await Promise.allSettled(schedulers.map(({ admission }) => admission.admitAll()));
        await Promise.allSettled(schedulers.map(({ sweeps }) => sweeps.sweep(false)));
        const [live] = await given.rows<{ count: number }>('select count(*)::int as count from live_runs');
        return live?.count === 0;
      },
      { within: 25_000, what: 'the end of all runs' },
    );
    expect(Object.values(await given.runStates()).reduce((sum, each) => sum + each, 0)).toBe(count);
  };
  const submitAll = async (each: number) => {
    const ids: string[] = [];
    for (const plan of [aChain(1), aChain(4), diamond, flaky, paused]) ids.push(...(await given.runs(each, { plan, deployment })));
    return ids;
  };

  it('end every run of many kinds, each step once, with the checker green', async () => {
    const ids = await submitAll(20);
    await untilEnded(ids.length);
    expect(await given.runStates()).toEqual({ SUCCEEDED: ids.length });
    expect(await given.faults({ quiescent: true, expected: ids })).toEqual([]);
    expect([...done].filter(([, times]) => times > 1 && times !== 3)).toEqual([]);
  });

  it('end every run while sessions are lost, streams are emptied and the worker leaves tasks without a word', async () => {
    let seen = 0;
    silent = () => (seen += 1) % 7 === 0;
    const before = Object.values(await given.runStates()).reduce((sum, each) => sum + each, 0);
    const ids = await submitAll(20);
    let over = false;
    const trouble = (async () => {
      for (let round = 0; !over && round < 8; round += 1) {
        await eventually(async () => over || (await given.rows(`select from live_runs where phase = 'running' limit 1`)).length > 0, {
          within: 20_000,
        });
        await given.rows(
          `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name like 'flowforge-scheduler%' and random() < 0.5`,
        );
        if (round % 3 === 2) broker.flush();
        const moment = performance.now();
        await eventually(() => over || performance.now() - moment > 150);
      }
    })();
    await untilEnded(before + ids.length);
    over = true;
    await trouble;
    expect(await given.runStates()).toEqual({ SUCCEEDED: before + ids.length });
    expect(await given.faults({ quiescent: true, expected: ids })).toEqual([]);
  }, 60_000);
});

function shuffled<Item>(items: readonly Item[]): Item[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .toSorted((one, other) => one.at - other.at)
    .map(({ item }) => item);
}
