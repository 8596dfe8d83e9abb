/** DBOS 5: `queue` (enqueued by a client, taken by a worker that polls every 20 ms; stock is a second) or `local` (started and run in one process, its fast path). */
import { DBOS, DBOSClient } from '@dbos-inc/dbos-sdk';
import pg from 'pg';

const queueName = 'bench';
const appVersion = 'bench';
let hear = () => {};

const step = (work) => DBOS.runStep(work, { name: 'step' });
const workflows = {
  nothing: DBOS.registerWorkflow(async () => void (await step(async () => {})), { name: 'nothing' }),
  start: DBOS.registerWorkflow(async (key) => void (await step(async () => hear(key))), { name: 'start' }),
  chain: DBOS.registerWorkflow(
    async (key, length) => {
      for (let at = 1; at < length; at += 1) await step(async () => {});
      await step(async () => hear(key));
    },
    { name: 'chain' },
  ),
  fan: DBOS.registerWorkflow(
    async (key, width) => {
      await Promise.allSettled(Array.from({ length: width }, () => step(async () => {})));
      await step(async () => hear(key));
    },
    { name: 'fan' },
  ),
};

/** Set where it runs in the driver's process; the bench tells by the mode. */
export const inDriver = JSON.parse(process.argv[3] ?? '{}').mode === 'local';

async function launch(postgresUrl) {
  DBOS.setConfig({
    name: 'bench',
    systemDatabaseUrl: postgresUrl,
    systemDatabasePoolSize: 30,
    logLevel: 'error',
    runAdminServer: false,
    applicationVersion: appVersion,
  });
  await DBOS.launch();
}

export async function openWorker({ postgresUrl }, { mark }) {
  hear = mark;
  await launch(postgresUrl);
  await DBOS.registerQueue(queueName, { minPollingIntervalMs: 20, workerConcurrency: 200 });
  return { close: () => DBOS.shutdown() };
}

export async function openDriver({ postgresUrl, mode }) {
  if (mode !== 'local') {
    // A client makes no tables: without these it could fill no queue before the worker has started.
    await launch(postgresUrl);
    await DBOS.shutdown();
  }
  const client = mode === 'local' ? null : await DBOSClient.create({ systemDatabaseUrl: postgresUrl });
  const pool = new pg.Pool({ connectionString: postgresUrl, max: 2 });
  const begin = (workflowName, ...args) =>
    client ? client.enqueue({ workflowName, queueName, appVersion }, ...args) : DBOS.startWorkflow(workflows[workflowName])(...args);
  const open =
    "select exists (select from dbos.workflow_status where status in ('PENDING', 'ENQUEUED', 'DELAYED') and queue_name is distinct from 'nobody') as busy";
  return {
    submit: () => begin('nothing'),
    start: (key) => begin('start', key),
    chain: (key, length) => begin('chain', key, length),
    fan: (key, width) => begin('fan', key, width),
    idle: async () => (await pool.query(open)).rows[0].busy === false,
    queue: async (count) => {
      for (let at = 0; at < count; at += 32) {
        const some = Math.min(32, count - at);
        await Promise.all(Array.from({ length: some }, () => client.enqueue({ workflowName: 'nothing', queueName: 'nobody', appVersion })));
      }
    },
    close: () => client?.destroy(),
  };
}
