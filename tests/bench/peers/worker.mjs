/** The worker process of a peer: `node worker.mjs ADAPTER SETTINGS`. */
import { monotonicMs } from './kit.mjs';

const [, , name, settings] = process.argv;
const DONE_EVERY_MS = 10;
const { openWorker } = await import(`./adapters/${name}.mjs`);
let done = 0;
let told = 0;
const worker = await openWorker(JSON.parse(settings), {
  mark: (key) => process.send({ kind: 'mark', key, at: monotonicMs() }),
  done: () => {
    done += 1;
  },
});
// A message per run would be work that the peer does not do.
setInterval(() => {
  if (done !== told) process.send({ kind: 'done', count: done });
  told = done;
}, DONE_EVERY_MS).unref();
process.on('disconnect', () => process.exit(0));
process.on('message', async () => {
  await Promise.resolve(worker?.close?.()).catch(() => {});
  process.exit(0);
});
process.send({ kind: 'ready' });
