/** BullMQ 6 on Redis, or on its own PostgreSQL backend. Chains and joins are its flows. Stock options: completed jobs are kept. */
import { FlowProducer, Queue, Worker, createPostgresBackend } from 'bullmq';

const concurrency = 100;
const names = ['nothing', 'start', 'chain', 'branch'];
const waitingStates = ['waiting', 'active', 'waiting-children', 'prioritized'];

function connectionOf({ mode, postgresUrl, redisPort }) {
  if (mode === 'postgres')
    return { connection: { connectionString: postgresUrl, migrate: true, max: 30 }, backend: [createPostgresBackend] };
  return { connection: { host: '127.0.0.1', port: redisPort, maxRetriesPerRequest: null }, backend: [] };
}

export async function openWorker(settings, { mark }) {
  const { connection, backend } = connectionOf(settings);
  const handlers = {
    nothing: async () => {},
    branch: async () => {},
    start: async ({ data }) => mark(data.key),
    chain: async ({ data }) => data.key && mark(data.key),
  };
  const workers = names.map((name) => new Worker(name, handlers[name], { connection, concurrency }, ...backend));
  await Promise.all(workers.map((worker) => worker.waitUntilReady()));
  return { close: () => Promise.all(workers.map((worker) => worker.close(true))) };
}

export async function openDriver(settings) {
  const { connection, backend } = connectionOf(settings);
  const queues = Object.fromEntries(names.map((name) => [name, new Queue(name, { connection }, ...backend)]));
  for (const queue of Object.values(queues)) await queue.obliterate({ force: true });
  const flows = new FlowProducer({ connection }, ...backend);
  const jobs = (count) => Array.from({ length: count }, () => ({ name: 'nothing', data: {} }));
  const isIdle = async (queue) => Object.values(await queue.getJobCounts(...waitingStates)).every((count) => count === 0);
  return {
    submit: () => queues.nothing.add('nothing', {}),
    submitMany: (count) => queues.nothing.addBulk(jobs(count)),
    start: (key) => queues.start.add('start', { key }),
    chain: (key, length) => flows.add(chainOf(key, length)),
    fan: (key, width) =>
      flows.add({
        ...{ name: 'start', queueName: 'start', data: { key } },
        children: Array.from({ length: width }, () => ({ name: 'branch', queueName: 'branch', data: {} })),
      }),
    idle: async () => (await Promise.all(Object.values(queues).map(isIdle))).every(Boolean),
    queue: (count) => queues.nothing.addBulk(jobs(count)),
    close: async () => {
      await flows.close();
      await Promise.all(Object.values(queues).map((queue) => queue.close()));
    },
  };
}

/** A parent runs when its child has: the last step is the outermost. */
function chainOf(key, length) {
  let step = { name: 'chain', queueName: 'chain', data: length === 1 ? { key } : {} };
  for (let at = 2; at <= length; at += 1)
    step = { name: 'chain', queueName: 'chain', data: at === length ? { key } : {}, children: [step] };
  return step;
}
