import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { StreamBroker } from '#transport';
import { type TestDatabase, databaseServers } from '#testing';
import { type GivenDeployment, GivenRows } from '../../../../libs/testing/src/given/given-rows.ts';
import { GivenScheduler, deliveriesOf, reportOf } from '../../../../libs/testing/src/given/given-scheduler.ts';
import { aPlan } from '../../../../libs/testing/src/given/plan.ts';

describe.each(databaseServers())('what a step is given, and whether it runs, on $name', ({ cloneDatabase }) => {
  let database: TestDatabase;
  let given: GivenRows;
  let deployment: GivenDeployment;
  let scheduler: GivenScheduler;

  beforeAll(async () => {
    database = await cloneDatabase();
    given = await GivenRows.open(database);
    deployment = await given.deployment();
    scheduler = await GivenScheduler.open({ database, broker: new StreamBroker() });
  });
  afterAll(async () => {
    await scheduler.close();
    expect(await given.faults()).toEqual([]);
    await given.close();
    await database.drop();
  });

  /** Admits all and takes the tasks of these runs. */
  const admitted = async (ids: readonly string[]) => {
    await scheduler.admission.admitAll();
    return (await scheduler.takeTasks(deployment.name)).filter((task) => ids.includes(task.runId));
  };
  const apply = (reports: readonly object[]) => scheduler.reports.apply(deliveriesOf(deployment.name, reports));

  it('retries a run from where it failed: what succeeded is taken over, with its output', async () => {
    const plan = aPlan({ fetch: {}, use: { needs: ['fetch'], inputReads: ['fetch'], input: { rows: '${{ steps.fetch.output.rows }}' } } });
    const failed = await given.run({ plan, deployment });
    const [fetch = never()] = await admitted([failed]);
    await apply([reportOf(fetch, { output: { rows: 7 } })]);
    const [use = never()] = await scheduler.takeTasks(deployment.name);
    expect(use.input).toEqual({ rows: 7 });
    await apply([reportOf(use, { outcome: 'failed', error: { code: 'step.broken', message: 'It broke.', retryable: false } })]);
    expect((await given.statesOf(failed)).run).toBe('FAILED');

    const retry = await given.run({ plan, deployment, retryOf: failed });
    const [again = never(), ...more] = await admitted([retry]);
    expect(more).toEqual([]);
    expect(again).toMatchObject({ runId: retry, stepNo: 2, input: { rows: 7 } });
    expect(await given.rows('select output from step_outputs where run_id = $1', [retry])).toEqual([{ output: { rows: 7 } }]);
    await apply([reportOf(again)]);
    expect(await given.statesOf(retry)).toEqual({ run: 'SUCCEEDED', steps: { fetch: 'SKIPPED', use: 'SUCCEEDED' } });
  });

  it('shows expressions of a retry the state that a step had when it ran, in the first decision and in later ones', async () => {
    const condition = { condition: 'plain' as const, conditionSource: 'steps.first.state == "SUCCEEDED"', conditionReads: ['first'] };
    const plan = aPlan({ first: {}, fails: { needs: ['first'], ...condition }, last: { needs: ['fails'], ...condition } });
    const failed = await given.run({ plan, deployment });
    await apply((await admitted([failed])).map((task) => reportOf(task)));
    const error = { code: 'step.broken', message: 'It broke.', retryable: false };
    await apply((await scheduler.takeTasks(deployment.name)).map((task) => reportOf(task, { outcome: 'failed', error })));
    expect((await given.statesOf(failed)).run).toBe('FAILED');

    const retry = await given.run({ plan, deployment, retryOf: failed });
    await apply((await admitted([retry])).map((task) => reportOf(task)));
    await apply((await scheduler.takeTasks(deployment.name)).map((task) => reportOf(task)));
    expect(await given.statesOf(retry)).toEqual({ run: 'SUCCEEDED', steps: { first: 'SKIPPED', fails: 'SUCCEEDED', last: 'SUCCEEDED' } });
  });

  it('sends the steps of a fan-out whose expressions are more than the evaluator lets wait', async () => {
    const branch = { needs: ['root'], condition: 'plain' as const, conditionSource: '[1, 2].exists(x, x == 2)' };
    const plan = aPlan({ root: {}, ...Object.fromEntries(Array.from({ length: 1_200 }, (_, at) => [`branch${at}`, branch])) });
    const id = await given.run({ plan, deployment });
    await apply((await admitted([id])).map((task) => reportOf(task)));
    const branches = await scheduler.takeTasks(deployment.name);
    expect(branches).toHaveLength(1_200);
    await apply(branches.map((task) => reportOf(task)));
  });

  it('evaluates conditions and inputs from rows and from what the same decision brings about', async () => {
    const plan = aPlan({
      first: {},
      maybe: { needs: ['first'], condition: 'plain', conditionSource: 'steps.first.output.rows > 5', conditionReads: ['first'] },
      told: {
        needs: ['maybe'],
        inputReads: ['maybe', 'first'],
        input: { state: '${{ steps.maybe.state }}', rows: '${{ steps.first.output.rows }}', who: '${{ input.who }}' },
      },
    });
    const id = await given.run({ plan, deployment, input: { who: 'me' } });
    const [task = never()] = await admitted([id]);
    await apply([reportOf(task, { output: { rows: 3 } })]);
    const [told = never()] = await scheduler.takeTasks(deployment.name);
    expect(told.input).toEqual({ state: 'SKIPPED', rows: 3, who: 'me' });
    await apply([reportOf(told)]);
    expect((await given.statesOf(id)).run).toBe('SUCCEEDED');
  });

  it('fails a step whose expression has no value, and skips what needs it', async () => {
    const plan = aPlan({
      first: {},
      bad: { needs: ['first'], inputReads: ['first'], input: '${{ steps.first.output.missing.deep }}' },
      end: { needs: ['bad'] },
    });
    const id = await given.run({ plan, deployment });
    await apply((await admitted([id])).map((task) => reportOf(task, { output: {} })));
    expect(await given.statesOf(id)).toEqual({ run: 'FAILED', steps: { first: 'SUCCEEDED', bad: 'FAILED', end: 'SKIPPED' } });
    const [row] = await given.rows<{ error: { code: string } }>('select error from step_outputs where run_id = $1 and step_no = 2', [id]);
    expect(row?.error.code).toMatch(/^expression\./);
  });

  it('ends a run in its admission that has nothing to do', async () => {
    const plan = aPlan({ only: { condition: 'plain', conditionSource: 'input.go', conditionReads: [] } });
    const id = await given.run({ plan, deployment, input: { go: false } });
    await admitted([id]);
    const audit = await given.auditOf(id);
    expect(audit.filter(({ step }) => step === 0).map(({ to }) => to)).toEqual(['CREATED', 'RUNNING', 'SUCCEEDED']);
    expect(audit.filter(({ step }) => step === 1).map(({ to }) => to)).toEqual(['SKIPPED']);
  });
});

function never(): never {
  throw new Error('A task is missing.');
}
