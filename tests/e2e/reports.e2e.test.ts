import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { paths, type ReportMessage, type TaskMessage } from '#contracts';
import { checkInvariants } from '#store';
import { cloneDatabase, type TestDatabase } from '#testing';
import { SINGLE_STEP } from '../harness/definitions.ts';
import { HandWorker } from '../harness/hand-worker.ts';
import { SERVED_DEPLOYMENT, Stack } from '../harness/stack.ts';

const OTHER_DEPLOYMENT = 'flowforge-medallion/uat';

const RETRIED = `
apiVersion: flowforge/v1
kind: Workflow
metadata: { name: retried }
spec:
  environment: production
  steps: { only: { uses: noop, retry: { attempts: 2, backoff: 10ms } } }
`;
const JOIN = `
apiVersion: flowforge/v1
kind: Workflow
metadata: { name: join }
spec:
  environment: production
  steps:
    left: { uses: noop }
    right: { uses: noop }
    join: { uses: noop, needs: [left, right] }
`;

describe('reports, as three schedulers take them from a Redis', () => {
  let database: TestDatabase;
  let owner: pg.Client;
  let stack: Stack;
  let worker: HandWorker;
  let single: string;

  beforeAll(async () => {
    database = await cloneDatabase();
    owner = new pg.Client(database.ownerUrl);
    await owner.connect();
    // A worker made by hand renews no lease: it is given time.
    const env = { LEASE_SECONDS: '60', HEARTBEAT_SECONDS: '20', WORKFLOW_MAX_CONCURRENT_EXECUTIONS: '1000' };
    stack = await Stack.start({ database, schedulers: 3, workers: 0, env });
    worker = new HandWorker(stack.redis.url, SERVED_DEPLOYMENT);
    single = await stack.api.apply(SINGLE_STEP);
  }, 90_000);
  afterAll(async () => {
    await worker?.close();
    await stack?.stop();
    await owner?.end();
    await database?.drop();
  }, 60_000);

  /** Starts a run of one step. Returns its task. */
  async function dispatched(workflow = single): Promise<TaskMessage> {
    return await worker.task(await stack.api.run(workflow), 'only');
  }

  /** The transitions of a step: the state it entered and what caused it. */
  async function trail(runId: string, stepNo = 1): Promise<[string, string][]> {
    const { rows } = await owner.query<{ new_state: string; cause_id: string }>(
      'select new_state, cause_id from workflow_transition_audit where workflow_id = $1 and step_no = $2 order by version',
      [runId, stepNo],
    );
    return rows.map((row) => [row.new_state, row.cause_id]);
  }

  it('move a step the same way in every order of a start, an end, the same end again and the end of another dispatch', async () => {
    const orders = permutations([0, 1, 2, 3]);
    const tasks = await Promise.all(orders.map(() => dispatched()));

    const ends = await Promise.all(
      tasks.map(async (task, at) => {
        const end = worker.succeeded(task);
        const reports = [worker.started(task), end, end, { ...worker.failed(task), dispatchNo: 7 }];
        await worker.report((orders[at] ?? []).map((which) => reports[which] ?? end));
        return end;
      }),
    );

    for (const [at, { runId }] of tasks.entries()) {
      expect((await stack.api.ended(runId)).state).toBe('SUCCEEDED');
      const seen = await trail(runId);
      expect(seen.map(([state]) => state)).toEqual(['DISPATCHED', 'RUNNING', 'SUCCEEDED']);
      expect(seen.at(-1)?.[1]).toBe(ends[at]?.id);
    }
    await worker.settled();
  });

  it.each<[string, (task: TaskMessage) => ReportMessage[], string]>([
    ['a success before a failure', (task) => [worker.succeeded(task), worker.failed(task)], 'SUCCEEDED'],
    ['a failure before a success', (task) => [worker.failed(task), worker.succeeded(task)], 'FAILED'],
  ])('of one dispatch that contradict each other in one batch: %s wins, once', async (_, reportsOf, state) => {
    const task = await dispatched();
    const reports = reportsOf(task);

    await worker.report(reports);

    expect((await stack.api.ended(task.runId)).state).toBe(state);
    await worker.settled();
    const seen = await trail(task.runId);
    expect(seen.map(([entered]) => entered)).toEqual(['DISPATCHED', 'RUNNING', state]);
    expect(seen.at(-1)?.[1]).toBe(reports[0]?.id);
  });

  it('that are doubled, in one batch and long after, move a step once', async () => {
    const task = await dispatched();
    const end = worker.succeeded(task);

    await worker.report([end, end, end]);
    await stack.api.ended(task.runId);
    await worker.report([end, worker.started(task), end]);
    await worker.settled();

    expect((await trail(task.runId)).map(([state]) => state)).toEqual(['DISPATCHED', 'RUNNING', 'SUCCEEDED']);
  });

  it('of a dispatch that was replaced are stale, in the same batch as those of the newer one', async () => {
    const first = await dispatched(await stack.api.apply(RETRIED));
    await worker.report([worker.failed(first, true)]);
    const second = await worker.task(first.runId, 'only', 2);
    const end = worker.succeeded(second, 'second');

    await worker.report([worker.succeeded(first, 'first'), end, worker.failed(first, true)]);

    expect((await stack.api.ended(first.runId)).state).toBe('SUCCEEDED');
    await worker.settled();
    expect(second.idempotencyKey).toBe(first.idempotencyKey);
    expect((await stack.api.request('GET', paths.step(first.runId, 'only'))).body).toMatchObject({ output: 'second', attempt: 2 });
    expect((await trail(first.runId)).at(-1)).toEqual(['SUCCEEDED', end.id]);
  });

  it('of another epoch are stale', async () => {
    const task = await dispatched();

    await worker.report([{ ...worker.failed(task), epoch: 2 }]);
    await worker.settled();
    expect((await trail(task.runId)).map(([state]) => state)).toEqual(['DISPATCHED']);

    await worker.report([worker.succeeded(task)]);
    expect((await stack.api.ended(task.runId)).state).toBe('SUCCEEDED');
  });

  it('that come late, after the run was cancelled, change nothing', async () => {
    const task = await dispatched();
    await stack.api.request('POST', paths.cancel(task.runId), {});
    await stack.api.ended(task.runId);
    const before = await trail(task.runId);

    await worker.report([worker.started(task), worker.succeeded(task)]);
    await worker.settled();

    expect((await stack.api.detail(task.runId)).state).toBe('CANCELLED');
    expect(before.at(-1)?.[0]).toBe('CANCELLED');
    expect(await trail(task.runId)).toEqual(before);
  });

  it('that no one can understand become dead letters, and those beside them in the batch are applied', async () => {
    const task = await dispatched();
    const end = worker.succeeded(task);
    const malformed = ['{', '{}', JSON.stringify({ ...end, id: randomUUID(), stepNo: 'one' }), JSON.stringify({ ...end, admin: true })];

    await worker.report([malformed[0] ?? '', malformed[1] ?? '', end, malformed[2] ?? '', malformed[3] ?? '']);

    expect((await stack.api.ended(task.runId)).state).toBe('SUCCEEDED');
    await worker.settled();
    const letters = await worker.deadLetters();
    expect(letters.map(({ body }) => body).toSorted()).toEqual(malformed.toSorted());
    expect(letters.every(({ reason }) => /report|JSON/.test(reason))).toBe(true);
  });

  it('that travel together count each for itself, and come again without harm when the one that no one understood is replayed', async () => {
    const tasks = await Promise.all([dispatched(), dispatched(), dispatched()]);
    const ends = tasks.map((task) => worker.succeeded(task));
    const [first, ...others] = ends;
    const pack = JSON.stringify([first, { ...first, id: randomUUID(), stepNo: 'one' }, ...others]);

    await worker.report([tasks.map((task) => worker.started(task)), pack]);
    for (const { runId } of tasks) expect((await stack.api.ended(runId)).state).toBe('SUCCEEDED');
    await worker.settled();
    const letter = (await worker.deadLetters()).find(({ body }) => body === pack);
    expect(letter).toMatchObject({ deliveries: 1, reason: expect.stringContaining('Report 2 of 4: The message is no report') });
    const before = await Promise.all(tasks.map(({ runId }) => trail(runId)));
    await worker.replay(letter?.id ?? '');
    await worker.settled();

    expect(await Promise.all(tasks.map(({ runId }) => trail(runId)))).toEqual(before);
    expect(before.map((seen) => seen.at(-1))).toEqual(ends.map(({ id }) => ['SUCCEEDED', id]));
  });

  it("of another deployment's worker become dead letters of that deployment, and move nothing", async () => {
    const task = await dispatched();
    const foreign = worker.failed(task);

    await worker.report([foreign], OTHER_DEPLOYMENT);
    await worker.settled(OTHER_DEPLOYMENT);

    const [letter] = await worker.deadLetters(OTHER_DEPLOYMENT);
    expect(letter).toMatchObject({ body: JSON.stringify(foreign), reason: expect.stringMatching(/\w/) });
    expect((await trail(task.runId)).map(([state]) => state)).toEqual(['DISPATCHED']);
    await worker.report([worker.succeeded(task)]);
    expect((await stack.api.ended(task.runId)).state).toBe('SUCCEEDED');
  });

  it('of a run that there is not change nothing', async () => {
    const task = await dispatched();

    await worker.report([{ ...worker.succeeded(task), runId: '018f0000-0000-7000-8000-000000000000' }, worker.succeeded(task)]);

    expect((await stack.api.ended(task.runId)).state).toBe('SUCCEEDED');
    await worker.settled();
  });

  it('that feed a join twice in one batch fire it once', async () => {
    const workflow = await stack.api.apply(JOIN);
    const runs = await Promise.all(Array.from({ length: 20 }, () => stack.api.run(workflow)));
    await Promise.all(
      runs.map(async (runId) => {
        const [left, right] = await Promise.all([worker.task(runId, 'left'), worker.task(runId, 'right')]);
        const ends = [worker.succeeded(left), worker.succeeded(right)];
        await worker.report([...ends, ...ends, ...ends.toReversed()]);
      }),
    );

    const joins = await Promise.all(runs.map((runId) => worker.task(runId, 'join')));
    await worker.report(joins.map((task) => worker.succeeded(task)));
    await Promise.all(runs.map((runId) => stack.api.ended(runId)));
    await worker.settled();

    for (const runId of runs) {
      expect((await trail(runId, 3)).map(([state]) => state)).toEqual(['DISPATCHED', 'RUNNING', 'SUCCEEDED']);
      expect(worker.tasks.filter((task) => task.runId === runId && task.step === 'join')).toHaveLength(1);
    }
  });

  it('leave every invariant intact', async () => {
    expect((await checkInvariants(owner, { quiescent: true })).summary.broken).toEqual([]);
  });
});

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, at) => permutations(items.toSpliced(at, 1)).map((rest) => [item, ...rest]));
}
