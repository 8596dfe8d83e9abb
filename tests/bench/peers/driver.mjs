/**
 * The submitting process of a peer: `node driver.mjs ADAPTER SETTINGS`. Takes orders from the bench and answers each with what it saw. An
 * adapter (adapters/) exports
 *   openDriver(settings, marks)   submit(), submitMany(n), chain(key, length), start(key), fan(key, width), idle(), queue(n)?, workerIsUp()?, close()
 *   openWorker(settings, { mark, done })  runs the steps; `inDriver` true: in this process
 * Keys come back by `mark` in the moment in which the last step runs.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import { Marks, monotonicMs, together, until } from './kit.mjs';

const [, , name, settingsText] = process.argv;
const settings = JSON.parse(settingsText);
const adapter = await import(`./adapters/${name}.mjs`);
const marks = new Marks();
const driver = await adapter.openDriver(settings, marks);
let worker;
let keys = 0;
const newKey = () => `k${(keys += 1)}`;

const orders = {
  /** Runs that nobody works on yet, for their size. */
  queue: async ({ count }) => {
    await driver.queue(count);
    return {};
  },
  work: async () => {
    worker = adapter.inDriver ? await openHere() : await openApart();
    await driver.workerIsUp?.();
    return {};
  },
  W1: async ({ count }) => await toTheEnd(() => together(count, settings.atOnce, () => driver.submit())),
  W1b: async ({ count }) =>
    await toTheEnd(async () => {
      for (let sent = 0; sent < count; sent += settings.batch) await driver.submitMany(Math.min(settings.batch, count - sent));
    }),
  W2: async ({ count }) => {
    const latenciesMs = [];
    const told = await toTheEnd(async () => {
      const all = [];
      await together(count, settings.atOnce, async () => {
        const key = newKey();
        const asked = monotonicMs();
        await driver.chain(key, settings.chainLength);
        all.push(marks.of(key, 180_000).then((at) => latenciesMs.push(at - asked)));
      });
      return { marked: Promise.all(all) };
    });
    return { ...told, latenciesMs };
  },
  'W2-idle': async ({ count }) => await oneByOne(count, (key) => driver.chain(key, settings.chainLength)),
  W3: async ({ count }) => await oneByOne(count, (key) => driver.start(key)),
  W4: async ({ count }) => await oneByOne(count, (key) => driver.fan(key, settings.fanWidth)),
};

process.on('message', async ({ kind, ...order }) => {
  try {
    process.send({ kind: 'answer', ...(await orders[kind](order)) });
  } catch (error) {
    process.send({ kind: 'failed', reason: String(error?.stack ?? error) });
  }
});
process.on('disconnect', () => void end());
process.send({ kind: 'ready' });

async function toTheEnd(submit) {
  const began = monotonicMs();
  const following = await submit();
  const submitted = monotonicMs();
  await following?.marked;
  await until(() => driver.idle());
  return { submitSeconds: (submitted - began) / 1000, seconds: (monotonicMs() - began) / 1000 };
}

async function oneByOne(count, begin) {
  const latenciesMs = [];
  for (let at = 0; at < count; at += 1) {
    const key = newKey();
    const asked = monotonicMs();
    await begin(key);
    latenciesMs.push((await marks.of(key)) - asked);
    await pause(settings.gapMs);
  }
  await until(() => driver.idle());
  return { latenciesMs };
}

async function openHere() {
  return await adapter.openWorker(settings, { mark: (key) => marks.hear(key, monotonicMs()), done: () => (marks.done += 1) });
}

async function openApart() {
  const child = fork(fileURLToPath(new URL('worker.mjs', import.meta.url)), [name, settingsText]);
  await new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`The worker ended with ${code}.`)));
    child.on('message', (message) => {
      if (message.kind === 'ready') resolve();
      if (message.kind === 'mark') marks.hear(message.key, message.at);
      if (message.kind === 'done') marks.done = message.count;
    });
  });
  return { close: () => child.connected && child.send('stop') };
}

async function end() {
  // Whatever a peer does to end well, the bench waits only so long.
  setTimeout(() => process.exit(0), 3_000).unref();
  worker?.close?.();
  await Promise.resolve(driver.close?.()).catch(() => {});
  process.exit(0);
}
