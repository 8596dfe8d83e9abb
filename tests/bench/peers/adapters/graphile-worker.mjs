/** graphile-worker 0.18: stock, or batched by its documented preset (local queue, completions in batches). A chain's handler adds the next job; a join counts in a row. */
import { Logger, makeWorkerUtils, run } from 'graphile-worker';
import pg from 'pg';

const silent = new Logger(() => () => {});
const batched = { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 };

export async function openWorker({ postgresUrl, mode }, { mark }) {
  const pool = new pg.Pool({ connectionString: postgresUrl, max: 4 });
  const worker = { connectionString: postgresUrl, concurrentJobs: 24, maxPoolSize: 25, pollInterval: 2000, logger: silent };
  const runner = await run({
    preset: { worker: { ...worker, ...(mode === 'batched' ? batched : {}) } },
    noHandleSignals: true,
    taskList: {
      nothing: async () => {},
      start: async ({ key }) => mark(key),
      chain: async ({ key, left }, { addJob }) => {
        if (left > 1) await addJob('chain', { key, left: left - 1 });
        else mark(key);
      },
      branch: async ({ key }, { addJob }) => {
        const { rows } = await pool.query('update bench_join set unmet = unmet - 1 where key = $1 returning unmet', [key]);
        if (rows[0].unmet === 0) await addJob('start', { key });
      },
    },
  });
  return {
    close: async () => {
      await runner.stop();
      await pool.end();
    },
  };
}

export async function openDriver({ postgresUrl }) {
  const utils = await makeWorkerUtils({ connectionString: postgresUrl, logger: silent });
  await utils.migrate();
  const pool = new pg.Pool({ connectionString: postgresUrl, max: 10 });
  await pool.query('create table if not exists bench_join (key text primary key, unmet int not null)');
  const jobs = (count, identifier, payload = {}) => Array.from({ length: count }, () => ({ identifier, payload }));
  return {
    submit: () => utils.addJob('nothing', {}),
    submitMany: (count) => utils.addJobs(jobs(count, 'nothing')),
    start: (key) => utils.addJob('start', { key }),
    chain: (key, length) => utils.addJob('chain', { key, left: length }),
    fan: async (key, width) => {
      await pool.query('insert into bench_join values ($1, $2)', [key, width]);
      await utils.addJobs(jobs(width, 'branch', { key }));
    },
    idle: async () => (await pool.query('select exists (select from graphile_worker._private_jobs) as busy')).rows[0].busy === false,
    queue: (count) => utils.addJobs(jobs(count, 'nothing')),
    close: () => utils.release(),
  };
}
