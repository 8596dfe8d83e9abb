import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cancelMark, streams } from '#contracts';
import { eventually } from '#testing';
import { UnreachableError, type ConsumeOptions, type StreamConsumer, type StreamEntry, type StreamTransport } from '#transport';
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

/** A thing some of whose methods are others. */
function instead<Thing extends object = StreamTransport>(methods: Readonly<Record<string, (target: Thing) => unknown>>) {
  return (thing: Thing): Thing =>
    new Proxy(thing, {
      get(target, name) {
        const method = methods[String(name)];
        if (method) return method(target);
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

  it('begins a step that was lost before only when the report of its start has arrived', async () => {
    let silent = true;
    let tries = 0;
    const reports = () => {
      tries += 1;
      return silent;
    };
    await given.start({ concurrency: 1, leaseSeconds: 30 }, faulty({ adds: () => false, reports }));
    const [task, next] = [aTask({ uses: 'test/obedient', dispatchNo: 2 }), aTask({ uses: 'test/tell' })];
    await given.send(task, next);
    await eventually(() => tries > 1 && given.heartbeats.at(-1)?.held.length === 2);
    expect(given.heartbeats.at(-1)).toMatchObject({ begun: 0 });
    expect(given.linesOf(task)).toEqual([]);

    silent = false;

    await given.running(task);
    await eventually(() => given.linesOf(task).length > 0);
    await eventually(() => given.heartbeats.at(-1)?.begun === 1);
    expect(given.heartbeats.at(-1)?.held).toEqual([task, next].map(({ runId, stepNo, dispatchNo }) => [runId, stepNo, dispatchNo]));
    given.control('cancelled', task);
    await given.endOf(next);
    expect(given.reportsOf(task).map(({ kind }) => kind)).toEqual(['started']);
  });

  it('never begins a step that is taken from it while the report of its start is on its way', async () => {
    let silent = true;
    let tries = 0;
    const reports = () => {
      tries += 1;
      return silent;
    };
    await given.start({ concurrency: 1, leaseSeconds: 30 }, faulty({ adds: () => false, reports }));
    const [task, next] = [aTask({ uses: 'test/obedient', dispatchNo: 2 }), aTask({ uses: 'test/tell' })];
    await given.send(task, next);
    await eventually(() => tries > 1 && given.heartbeats.at(-1)?.held.length === 2);
    given.control('stale', task);
    silent = false;

    await given.endOf(next);
    await given.settled();
    expect(given.linesOf(task)).toEqual([]);
  });

  it('starts nothing that it cannot ask the cancel marks about, and buries nothing for it', async () => {
    let silent = true;
    let asked = 0;
    const marks = () => {
      asked += 1;
      return silent;
    };
    await given.start({}, faulty({ adds: () => false, marks }));
    const task = aTask({ uses: 'test/tell' });
    await given.send(task);
    await eventually(() => asked > 1);
    expect(given.reportsOf(task)).toEqual([]);

    silent = false;

    expect(await given.endOf(task)).toMatchObject({ outcome: 'succeeded' });
  });

  it('asks no cancel marks about steps that only hand their input on', async () => {
    const asked: string[] = [];
    const marks = (target: StreamTransport) => (keys: readonly string[]) => {
      asked.push(...keys);
      return target.marks(keys);
    };
    await given.start({}, instead({ marks }));
    const transform = aTask({ uses: 'transform', input: { value: 1 } });
    const [noop, tell] = [aTask(), aTask({ uses: 'test/tell' })];

    await given.send(noop, transform, tell);

    for (const task of [noop, transform, tell]) expect(await given.endOf(task)).toMatchObject({ outcome: 'succeeded' });
    expect(asked).toEqual([cancelMark(given.deployment, tell.runId, tell.stepNo)]);
  });

  it('begins no step whose cancel mark is answered when it drains already, and hands it back', async () => {
    const { promise: drains, resolve: drainBegins } = Promise.withResolvers<void>();
    let asked = 0;
    const transport = instead({
      marks: (target) => async (keys: readonly string[]) => {
        if ((asked += 1) > 1) await drains;
        return target.marks(keys);
      },
      consume: (target) => (options: ConsumeOptions) =>
        instead<StreamConsumer>({
          setStreams: (consumer) => async (names: readonly string[]) => {
            await consumer.setStreams(names);
            setImmediate(drainBegins);
          },
        })(target.consume(options)),
    });
    await given.start({ concurrency: 1, drainSeconds: 0.3 }, transport);
    const [long, late] = [aTask({ uses: 'test/obedient' }), aTask({ uses: 'test/obedient' })];
    await given.send(long);
    await given.running(long);
    await given.send(late);
    await eventually(() => asked === 2);

    await given.worker?.beforeApplicationShutdown();

    expect(given.reportsOf(late)).toEqual([]);
    await given.start({ drainSeconds: 0 });
    await given.running(late);
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
