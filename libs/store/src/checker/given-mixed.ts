import type { Given } from './given.ts';

const single = [{}];
const diamond = [{}, { needs: [1] }, { needs: [1] }, { needs: [2, 3] }];

/** Runs that have ended, one of each kind of end. */
export async function givenEndedRuns(given: Given) {
  const succeeded = await (await (await given.submit(single, { key: 'once' })).admit()).end(1);
  const joined = await (await given.submit(diamond)).admit();
  for (const no of [1, 3, 2, 4]) await joined.end(no);
  const lost = await (await (await (await given.submit(single)).admit()).start(1)).lose(1);
  await (await lost.start(1)).end(1);
  const failed = await (await given.submit(diamond)).admit();
  for (const no of [1, 2]) await failed.end(no);
  await failed.end(3, 'FAILED');
  const cancelled = await (await given.submit(diamond)).admit();
  await cancelled.end(1);
  await (await cancelled.askToCancel()).finishCancel();
  await given.log(succeeded, 1, 'done');
  return { succeeded, joined, lost, failed, cancelled };
}

/** Runs under way, in every phase, with the session and the timers that will move them. */
export async function givenLiveRuns(given: Given) {
  const created = await given.submit(single);
  const queued = await (await given.submit(single)).hold();
  const dispatched = await (await given.submit(single)).admit();
  const joining = await (await (await given.submit(diamond)).admit()).end(1);
  await joining.start(2);
  const retrying = await (await (await given.submit([{ attempts: 3 }])).admit()).start(1);
  await retrying.fail(1);
  const delayed = await (await given.submit([{ uses: 'delay' }])).admit();
  const cancelling = await (await (await given.submit(diamond)).admit()).askToCancel();
  const session = await given.session([{ run: joining, no: 2 }]);
  return { created, queued, dispatched, joining, retrying, delayed, cancelling, session };
}

/** A healthy database with something of everything. */
export async function givenMixedRuns(given: Given) {
  return { ...(await givenEndedRuns(given)), ...(await givenLiveRuns(given)) };
}
export type MixedRuns = Awaited<ReturnType<typeof givenMixedRuns>>;
