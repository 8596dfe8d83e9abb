/** pg-boss 12: batches of 24 by one fetcher, or of 500 by four. Wake-ups by LISTEN/NOTIFY. A chain's handler sends the next job; a join is a job that depends on the others. */
import { PgBoss } from 'pg-boss';
import pg from 'pg';

const queues = ['nothing', 'start', 'chain', 'branch'];
const polling = { pollingIntervalSeconds: 0.5, notifyPollingIntervalSeconds: 0.5, burstWhenBatchFull: true };
const fetching = { stock: { batchSize: 24, localConcurrency: 1 }, batched: { batchSize: 500, localConcurrency: 4 } };

async function open({ postgresUrl }, supervise) {
  const boss = new PgBoss({
    connectionString: postgresUrl,
    max: 30,
    useListenNotify: true,
    schedule: false,
    flowIntervalSeconds: 1,
    supervise,
  });
  boss.on('error', (error) => console.error('pg-boss:', error.message));
  await boss.start();
  return boss;
}

export async function openWorker(settings, { mark }) {
  const boss = await open(settings, true);
  const options = { ...polling, ...fetching[settings.mode] };
  await boss.work('nothing', options, async () => {});
  await boss.work('branch', options, async () => {});
  await boss.work('start', options, async (jobs) => jobs.forEach(({ data }) => mark(data.key)));
  await boss.work('chain', options, async (jobs) => {
    for (const { data } of jobs) {
      if (data.left > 1) await boss.send('chain', { key: data.key, left: data.left - 1 });
      else mark(data.key);
    }
  });
  return { close: () => boss.stop({ graceful: false }) };
}

export async function openDriver(settings) {
  const boss = await open(settings, false);
  for (const queue of queues) await boss.createQueue(queue, { notify: true });
  const pool = new pg.Pool({ connectionString: settings.postgresUrl, max: 4 });
  const jobs = (count) => Array.from({ length: count }, () => ({ data: {} }));
  return {
    submit: () => boss.send('nothing', {}),
    submitMany: (count) => boss.insert('nothing', jobs(count)),
    start: (key) => boss.send('start', { key }),
    chain: (key, length) => boss.send('chain', { key, left: length }),
    fan: async (key, width) => {
      const refs = Array.from({ length: width }, (_, at) => `${key}-${at}`);
      await boss.flow([
        ...refs.map((ref) => ({ ref, name: 'branch', data: {} })),
        { ref: key, name: 'start', data: { key }, dependsOn: refs },
      ]);
    },
    idle: async () => (await pool.query("select exists (select from pgboss.job where state < 'completed') as busy")).rows[0].busy === false,
    queue: (count) => boss.insert('nothing', jobs(count)),
    close: () => boss.stop({ graceful: false }),
  };
}
