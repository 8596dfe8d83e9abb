import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { streams } from '#contracts';
import { eventually } from '#testing';
import { UnreachableError, type StreamEntry, type StreamTransport } from '#transport';
import { aTask } from './testing/a-task.ts';
import { inProcess, WorkerUnderTest } from './testing/worker-under-test.ts';

/** The worker's transport while some of its calls get no answer. */
function faulty(fails: { adds: (stream: string) => boolean; reports?: () => boolean; marks?: () => boolean }) {
  const unreachable = () => Promise.reject(new UnreachableError('a test', 1));
  return (transport: StreamTransport): StreamTransport =>
    new Proxy(transport, {
      get(target, name) {
        if (name === 'add')
          return (entries: readonly StreamEntry[]) =>
            entries.some(({ stream }) => fails.adds(stream)) ? unreachable() : target.add(entries);
        if (name === 'addThenAck' && fails.reports?.()) return unreachable;
        if (name === 'marks' && fails.marks?.()) return unreachable;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
}

describe('a worker whose Redis falls silent', () => {
  let given: WorkerUnderTest;
  beforeEach(() => {
    given = new WorkerUnderTest(inProcess());
  });
  afterEach(async () => {
    await given.stop();
  });

  it('ends its steps when no heartbeat arrives for longer than the lease, and goes on as a new session', async () => {
    let silent = false;
    await given.start({}, faulty({ adds: (stream) => silent && stream === streams.heartbeats(given.deployment) }));
    const [task, next] = [aTask({ uses: 'test/obedient' }), aTask({ uses: 'test/tell' })];
    await given.send(task);
    await given.running(task);
    const before = given.heartbeats.at(-1)?.session;

    silent = true;
    await given.settled();
    expect(given.reportsOf(task).map(({ kind }) => kind)).toEqual(['started']);
    expect(await given.metric('flowforge_worker_leases_lost_total')).toBe(1);
    silent = false;
    await eventually(() => given.heartbeats.at(-1)?.session !== before);
    await given.send(next);

    expect((await given.endOf(next)).session).toBe(given.heartbeats.at(-1)?.session);
  });

  it('reports what ended meanwhile as soon as the streams are back', async () => {
    let silent = true;
    await given.start({ handlers: [] }, faulty({ adds: () => false, reports: () => silent }));
    const tasks = Array.from({ length: 5 }, () => aTask());
    await given.send(...tasks);
    await eventually(() => given.heartbeats.at(-1)?.held.length === 5);

    silent = false;

    for (const task of tasks) expect(await given.endOf(task)).toMatchObject({ outcome: 'succeeded' });
    await given.settled();
  });

  it('starts nothing that it cannot ask the cancel marks about, and buries nothing for it', async () => {
    let silent = true;
    let asked = 0;
    const marks = () => {
      asked += 1;
      return silent;
    };
    await given.start({ handlers: [] }, faulty({ adds: () => false, marks }));
    const task = aTask();
    await given.send(task);
    await eventually(() => asked > 1);
    expect(given.reportsOf(task)).toEqual([]);

    silent = false;

    expect(await given.endOf(task)).toMatchObject({ outcome: 'succeeded' });
  });

  it('keeps running steps while their log lines cannot be sent, and tells what is missing', async () => {
    let silent = true;
    await given.start({}, faulty({ adds: (stream) => silent && stream === streams.logs(given.deployment) }));
    const chatty = [1, 2].map(() => aTask({ uses: 'test/chatty', input: { lines: 700, bytes: 10_000 } }));
    await given.send(...chatty);
    for (const task of chatty) expect(await given.endOf(task)).toMatchObject({ outcome: 'succeeded' });
    expect(await given.metric('flowforge_worker_log_lines_dropped_total{why="back_pressure"}')).toBeGreaterThan(100);

    silent = false;

    await eventually(() => chatty.some((task) => given.linesOf(task).length > 100), { within: 10_000 });
  });
});
