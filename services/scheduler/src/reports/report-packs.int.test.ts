import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { REPORTS_TOGETHER_MAX, streams, type TaskMessage } from '#contracts';
import { cloneDatabase, type TestDatabase } from '#testing';
import { BatchFailure, type Delivery } from '#transport';
import { type GivenDeployment, GivenRows } from '../../../../libs/testing/src/given/given-rows.ts';
import { GivenScheduler, deliveriesOf, reportOf, startOf } from '../../../../libs/testing/src/given/given-scheduler.ts';
import { aChain } from '../../../../libs/testing/src/given/plan.ts';

const REPORTS_MAX = 2 * REPORTS_TOGETHER_MAX;

describe('reports that travel together', () => {
  let database: TestDatabase;
  let given: GivenRows;
  let deployment: GivenDeployment;
  let other: GivenDeployment;
  let scheduler: GivenScheduler;

  beforeAll(async () => {
    database = await cloneDatabase();
    given = await GivenRows.open(database);
    deployment = await given.deployment();
    other = await given.deployment();
    scheduler = await GivenScheduler.open({ database, reportsMax: REPORTS_MAX });
  });
  afterAll(async () => {
    await scheduler.close();
    expect(await given.faults()).toEqual([]);
    await given.close();
    await database.drop();
  });

  /** Tasks of runs of one step, as a worker of the deployment was given them. */
  async function tasks(count: number, of = deployment): Promise<TaskMessage[]> {
    await given.runs(count, { plan: aChain(1), deployment: of });
    await scheduler.admission.admitAll();
    return await scheduler.takeTasks(of.name);
  }

  function pack(reports: readonly object[]): Delivery {
    const [delivery] = deliveriesOf(deployment.name, [reports]);
    return delivery ?? never();
  }

  /** What the scheduler makes of a delivery whose reports are not all good. */
  async function failureOf(delivery: Delivery): Promise<BatchFailure> {
    const failure: unknown = await scheduler.reports.apply([delivery]).catch((thrown: unknown) => thrown);
    return failure instanceof BatchFailure ? failure : never();
  }

  async function verdicts(): Promise<Record<string, number>> {
    const lines = (await scheduler.metrics.text()).matchAll(/^flowforge_report_verdicts_total\{.*verdict="(\w+)".*\} (\d+)$/gm);
    return Object.fromEntries([...lines].map(([, verdict = '', count]) => [verdict, Number(count)]));
  }

  it('are applied beside one that nobody understands, one of another deployment and one that the database refuses, each for itself', async () => {
    const [before = never(), refused = never(), after = never()] = await tasks(3);
    const [foreign = never()] = await tasks(1, other);
    const [row] = await given.rows<{ cause_id: string }>('select cause_id from step_runs where run_id = $1', [refused.runId]);
    // A move under the cause of the one before is what the trigger refuses.
    const sent = pack([
      startOf(before),
      reportOf(before),
      { nonsense: true },
      reportOf(foreign),
      reportOf(refused, { id: row?.cause_id ?? '' }),
      reportOf(after),
    ]);

    const { failed, hopeless } = await failureOf(sent);

    expect([...failed.keys()]).toEqual([sent]);
    const reason = failed.get(sent);
    expect(reason).toContain('Report 3 of 6: The message is no report');
    expect(reason).toContain(`Report 4 of 6: The report came by ${streams.reports(deployment.name)}`);
    expect(reason).toMatch(/Report 5 of 6: .*cause of its own/);
    // The database may take tomorrow what it refuses today.
    expect(hopeless.size).toBe(0);
    for (const { runId } of [before, after]) expect((await given.statesOf(runId)).run).toBe('SUCCEEDED');
    for (const { runId } of [foreign, refused]) expect((await given.statesOf(runId)).run).toBe('RUNNING');
    expect(await verdicts()).toMatchObject({ applied: 3, malformed: 1, foreign: 1 });
  });

  it('change nothing when they come again, as a replayed dead letter does', async () => {
    const [one = never(), two = never()] = await tasks(2);
    const sent = pack([reportOf(one), { nonsense: true }, startOf(two), reportOf(two)]);
    const failure = await failureOf(sent);
    const audits = await Promise.all([one, two].map(({ runId }) => given.auditOf(runId)));

    const again = await failureOf({ ...sent, id: '7-7' });

    expect(failure.hopeless).toEqual(new Set([sent]));
    expect([...again.failed.values()]).toEqual([...failure.failed.values()]);
    expect(await Promise.all([one, two].map(({ runId }) => given.auditOf(runId)))).toEqual(audits);
    expect((await given.statesOf(two.runId)).run).toBe('SUCCEEDED');
  });

  it('are bounded as reports: many entries of many are written by several transactions', async () => {
    const count = 3 * REPORTS_MAX;
    const ended = (await tasks(count)).map((task) => reportOf(task));
    const packs = Array.from({ length: count / REPORTS_TOGETHER_MAX }, (_, at) =>
      pack(ended.slice(at * REPORTS_TOGETHER_MAX, (at + 1) * REPORTS_TOGETHER_MAX)),
    );
    const written = () => sumOf('flowforge_decision_batch_runs_count');
    const before = await written();

    await scheduler.reports.apply(packs);

    expect((await written()) - before).toBe(3);
    const states = await given.rows<{ state: string; count: number }>(
      'select state::text, count(*)::int as count from workflow_runs where id = any($1) group by 1',
      [ended.map(({ runId }) => runId)],
    );
    expect(states).toEqual([{ state: 'SUCCEEDED', count }]);
  });

  async function sumOf(metric: string): Promise<number> {
    const lines = (await scheduler.metrics.text()).split('\n').filter((line) => line.startsWith(metric));
    return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  }
});

function never(): never {
  throw new Error('This cannot be.');
}
