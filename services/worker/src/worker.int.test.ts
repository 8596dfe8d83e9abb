import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { cancelMark, groups, INLINE_PAYLOAD_BYTES_MAX, LOG_STEP_BYTES_MAX, streams } from '#contracts';
import { eventually, startRedis, type RedisServer } from '#testing';
import { aTask } from './testing/a-task.ts';
import { inProcess, overRedis, WorkerUnderTest, type Open } from './testing/worker-under-test.ts';

let redis: RedisServer | undefined;
const ways: [string, () => Open][] = [
  ['within one process', inProcess],
  ['over Redis', () => overRedis(redis?.url ?? '')],
];

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => {
  await redis?.stop();
});

describe.each(ways)('a worker %s', (_, way) => {
  let given: WorkerUnderTest;

  beforeEach(() => {
    given = new WorkerUnderTest(way());
  });
  afterEach(async () => {
    await given.stop();
  });

  describe('runs steps', () => {
    it('hands on the input of a transform, in one report without a start', async () => {
      await given.start({ handlers: [] });
      const task = aTask({ uses: 'transform', input: { value: { rows: [1, 2] } } });

      await given.send(task);

      expect(await given.endOf(task)).toMatchObject({
        kind: 'ended',
        outcome: 'succeeded',
        output: { rows: [1, 2] },
        epoch: 1,
        dispatchNo: 1,
      });
      await given.settled();
      expect(given.reportsOf(task)).toHaveLength(1);
      expect(given.heartbeats[0]).toMatchObject({ concurrency: 2, epoch: 1, leaving: false, kinds: ['noop', 'transform', 'http'] });
    });

    it('tells a handler all about its step, and nothing of Redis', async () => {
      process.env['REDIS_URL'] ??= '';
      await given.start();
      const task = aTask({ uses: 'test/tell', input: 5, attempt: 3, team: 'sales', workflow: 'orders', workflowVersion: 7 });

      await given.send(task);

      expect(await given.endOf(task)).toMatchObject({
        outcome: 'succeeded',
        output: {
          idempotencyKey: 'key',
          attempt: 3,
          run: { id: task.runId, workflow: 'orders', version: 7, environment: null, team: 'sales' },
          step: 'only',
          input: 5,
          redisUrl: null,
        },
      });
    });

    it('keeps a process warm for the next step', async () => {
      await given.start({ concurrency: 1 });
      const tasks = [aTask({ uses: 'test/tell' }), aTask({ uses: 'test/tell' })];

      await given.send(...tasks);

      const ends = await Promise.all(tasks.map((task) => given.endOf(task)));
      expect(new Set(ends.map((end) => JSON.parse(JSON.stringify(end.output)).pid)).size).toBe(1);
    });

    it.each([
      ['test/refuse', {}, { code: 'crm.gone', retryable: false }],
      ['test/strict', { n: 'one' }, { code: 'step.input_invalid', retryable: false }],
      ['test/unstorable', {}, { code: 'step.output_invalid', retryable: false }],
      ['test/unknown', {}, { code: 'step.kind_unknown', retryable: true }],
      ['test/big', { bytes: INLINE_PAYLOAD_BYTES_MAX - 1 }, { code: 'step.output_too_large', retryable: false }],
      ['http', { url: 'http://169.254.169.254/' }, { code: 'http.address_forbidden', retryable: false }],
    ])('reports why %s failed', async (uses, input, error) => {
      await given.start();
      const task = aTask({ uses, input });

      await given.send(task);

      expect(await given.endOf(task)).toMatchObject({ outcome: 'failed', error });
      await given.settled();
    });

    it('reports the largest output that fits', async () => {
      await given.start();
      const task = aTask({ uses: 'test/big', input: { bytes: INLINE_PAYLOAD_BYTES_MAX - 2 } });

      await given.send(task);

      expect(await given.endOf(task)).toMatchObject({ outcome: 'succeeded' });
    });

    it('reports the start of a step that takes a while', async () => {
      await given.start();
      const task = aTask({ uses: 'test/pause', input: { ms: 300 } });

      await given.send(task);

      expect(await given.endOf(task)).toMatchObject({ outcome: 'succeeded', output: 'rested' });
      expect(given.reportsOf(task).map(({ kind }) => kind)).toEqual(['started', 'ended']);
    });
  });

  describe('survives its handlers', () => {
    it('ends a handler that never yields when its time is over, while heartbeats go on', async () => {
      await given.start();
      const task = aTask({ uses: 'test/spin', timeoutSeconds: 0.5 });

      await given.send(task);
      await given.running(task);
      const before = given.heartbeats.length;

      expect(await given.endOf(task)).toMatchObject({ outcome: 'timed_out', error: { code: 'step.timed_out' } });
      expect(given.heartbeats.length - before).toBeGreaterThan(3);
      expect(given.heartbeats.at(-2)?.held).toEqual([[task.runId, 1, 1]]);
      expect(given.linesOf(task)[0]?.text).toMatch(/^spinning \{"pid":\d+\}$/);
    });

    it.each([
      ['test/exit', { code: 3 }, 'exit code 3'],
      ['test/killed', {}, 'SIGKILL (exit code 137): out of memory, most likely'],
    ])('reports %s as a death of its process, and runs the next step', async (uses, input, message) => {
      await given.start({ concurrency: 1 });
      const [task, next] = [aTask({ uses, input }), aTask({ uses: 'test/tell' })];

      await given.send(task, next);

      expect(await given.endOf(task)).toMatchObject({
        outcome: 'failed',
        error: { code: 'step.worker_process_died', retryable: true, message: expect.stringContaining(message) },
      });
      expect(await given.endOf(next)).toMatchObject({ outcome: 'succeeded' });
    });

    it('terminates a handler that keeps silent, and not one that beats', async () => {
      await given.start();
      const [silent, beating] = [aTask({ uses: 'test/silent' }), aTask({ uses: 'test/beating' })];

      await given.send(silent, beating);

      expect(await given.endOf(silent)).toMatchObject({ outcome: 'failed', error: { code: 'step.heartbeat_timeout', retryable: true } });
      expect(await given.endOf(beating)).toMatchObject({ outcome: 'succeeded', output: 'alive' });
    });
  });

  describe('ends what is not to be run', () => {
    it.each(['test/obedient', 'test/spin'])('aborts %s when it is cancelled, and reports nothing', async (uses) => {
      await given.start();
      const task = aTask({ uses });
      await given.send(task);
      await given.running(task);

      given.control('cancelled', task);

      await given.settled();
      expect(given.reportsOf(task).map(({ kind }) => kind)).toEqual(['started']);
      await eventually(() => given.heartbeats.at(-1)?.held.length === 0);
    });

    it('drops a waiting step that became stale, and leaves others alone', async () => {
      await given.start({ concurrency: 1 });
      const [first, stale, last] = [
        aTask({ uses: 'test/pause', input: { ms: 400 } }),
        aTask({ uses: 'test/tell' }),
        aTask({ uses: 'test/tell' }),
      ];
      await given.send(first, stale, last);
      await given.running(first);

      given.control('stale', stale);
      given.control('stale', { ...last, dispatchNo: 9 });

      await given.endOf(last);
      await given.settled();
      expect(given.reportsOf(stale)).toEqual([]);
    });

    it('starts a dispatch that is newer than the mark', async () => {
      const task = aTask({ uses: 'test/tell', dispatchNo: 2 });
      await given.scheduler.mark(cancelMark(given.deployment, task.runId, task.stepNo), '1', 60_000);
      await given.start();

      await given.send(task);

      expect(await given.endOf(task)).toMatchObject({ outcome: 'succeeded' });
    });

    it('does not start a step that has a cancel mark', async () => {
      const task = aTask({ uses: 'test/tell' });
      await given.scheduler.mark(cancelMark(given.deployment, task.runId, task.stepNo), '1', 60_000);
      await given.start();

      await given.send(task);

      await given.settled();
      expect(given.reportsOf(task)).toEqual([]);
      expect(await given.metric('flowforge_worker_tasks_skipped_total{why="cancelled"}')).toBe(1);
    });

    it('runs a task once that comes twice, and the newer of two dispatches', async () => {
      await given.start();
      const task = aTask({ uses: 'test/obedient' });
      await given.send(task, task);
      await given.running(task);
      const again = { ...task, dispatchNo: 2, uses: 'test/tell' };

      await given.send(again);

      expect(await given.endOf(again)).toMatchObject({ outcome: 'succeeded', dispatchNo: 2 });
      await given.settled();
      const told = given.reportsOf(task).map(({ kind, dispatchNo }) => `${kind} ${dispatchNo}`);
      // On a slow machine the second takes long enough to tell its start, too.
      expect(told.filter((what) => what !== 'started 2')).toEqual(['started 1', 'ended 2']);
      expect(await given.metric('flowforge_worker_tasks_skipped_total{why="duplicate"}')).toBe(1);
    });

    it('settles a task of another epoch without running it', async () => {
      await given.start();
      const task = aTask({ epoch: 2 });

      await given.send(task);

      await given.settled();
      expect(given.reportsOf(task)).toEqual([]);
    });

    it('moves what is no task to the dead letters, and goes on', async () => {
      await given.start();
      const task = aTask();

      await given.send('{', JSON.stringify({ ...aTask(), v: 2 }), task);

      expect(await given.endOf(task)).toMatchObject({ outcome: 'succeeded' });
      const letters = await eventually(
        async () => {
          const found = await given.scheduler.deadLetters(streams.tasks(given.deployment), { count: 10 });
          return found.length === 2 && found;
        },
        { within: 15_000 },
      );
      expect(letters.map(({ body }) => body)).toContain('{');
    });
  });

  describe('keeps logs', () => {
    it('of everything a handler says, in order, without secrets', async () => {
      await given.start();
      const task = aTask({ uses: 'test/speak' });

      await given.send(task);
      await given.endOf(task);

      const lines = await eventually(() => given.linesOf(task).length >= 5 && given.linesOf(task));
      expect(lines.map(({ text }) => text)).toEqual(expect.arrayContaining(['from the console', 'from stderr', 'from a subprocess']));
      expect(lines.map(({ line }) => line)).toEqual([1, 2, 3, 4, 5]);
      expect(lines.find(({ text }) => text.startsWith('from the context'))).toMatchObject({ level: 'warn' });
      expect(JSON.stringify(lines)).not.toContain('hunter2');
    });

    it('cuts a long line and marks a log that is full, once', async () => {
      await given.start();
      const task = aTask({ uses: 'test/chatty', input: { lines: LOG_STEP_BYTES_MAX / 16_384 + 20, bytes: 20_000 } });

      await given.send(task);
      await given.endOf(task);

      await eventually(() => given.linesOf(task).at(-1)?.text.includes('is full'), { within: 10_000 });
      const lines = given.linesOf(task);
      expect(lines).toHaveLength(LOG_STEP_BYTES_MAX / 16_384 + 1);
      expect(lines[0]?.text).toMatch(/^x{16000,} … \(cut\)$/);
      expect(Buffer.byteLength(lines[0]?.text ?? '')).toBe(16_384);
      expect(lines.map(({ line }) => line)).toEqual(lines.map((__, at) => at + 1));
    });
  });

  describe('leaves in order', () => {
    it('lets running steps end, hands back what has not begun, and says that it leaves', async () => {
      await given.start({ concurrency: 1 });
      const [running, waiting] = [aTask({ uses: 'test/pause', input: { ms: 500 } }), aTask({ uses: 'test/tell' })];
      await given.send(running, waiting);
      await given.running(running);

      await given.worker?.beforeApplicationShutdown();

      expect(await given.endOf(running)).toMatchObject({ outcome: 'succeeded' });
      await eventually(() => given.heartbeats.at(-1)?.leaving);
      expect(given.heartbeats.at(-1)).toMatchObject({ held: [] });
      expect(given.reportsOf(waiting)).toEqual([]);
      expect(await given.scheduler.depth(streams.tasks(given.deployment), groups.workers)).toMatchObject({ length: 1 });
    });

    it('hands back what has not begun before the running steps have ended', async () => {
      await given.start({ concurrency: 1 });
      const [running, waiting] = [aTask({ uses: 'test/obedient' }), aTask({ uses: 'test/tell' })];
      await given.send(running, waiting);
      await given.running(running);
      await eventually(() => given.heartbeats.at(-1)?.held.length === 2);

      const leaving = given.worker?.beforeApplicationShutdown();
      await eventually(() => given.heartbeats.at(-1)?.held.length === 1, { what: 'one of them to be handed back' });

      expect(given.heartbeats.at(-1)?.held).toEqual([[running.runId, 1, 1]]);
      given.control('cancelled', running);
      await leaving;
    });

    it('hands a step back that does not end in time, and another worker runs it', async () => {
      await given.start({ drainSeconds: 0.1 });
      const task = aTask({ uses: 'test/obedient' });
      await given.send(task);
      await given.running(task);

      await given.worker?.beforeApplicationShutdown();
      expect(given.reportsOf(task).filter(({ kind }) => kind === 'ended')).toEqual([]);
      await given.start({ drainSeconds: 0 });

      await eventually(() => given.reportsOf(task).filter(({ kind }) => kind === 'started').length === 2, { within: 10_000 });
    });
  });

  it('ends the steps of an old epoch when a new one begins', async () => {
    await given.start();
    const task = aTask({ uses: 'test/obedient' });
    await given.send(task);
    await given.running(task);

    given.epoch = 2;

    await eventually(async () => (await given.metric('flowforge_worker_steps_ended_total{outcome="dropped"}')) === 1, { within: 10_000 });
    expect(given.reportsOf(task).map(({ kind }) => kind)).toEqual(['started']);
  });
});
