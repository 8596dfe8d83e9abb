/** Steps that do harm, for faults that start runs of their own. Loaded by the workers of a chaos world (HANDLERS). */
import { randomBytes } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { defineHandlers, defineStep } from '#sdk';

/** Who forked this process, as it was when the module was loaded: once that one is gone, init is the parent. */
const worker = process.ppid;

/** Never yields for so long: no message, no signal, no heartbeat of its own gets through. */
const block = defineStep({
  name: 'chaos/block',
  input: z.object({ ms: z.number() }),
  run: (ctx, { ms }) => {
    for (const until = performance.now() + ms; performance.now() < until;);
    return { attempt: ctx.attempt };
  },
});

/** Ends the worker itself as often as `times` says, over all workers: each leaves a mark in the folder before. */
const killWorker = defineStep({
  name: 'chaos/kill-worker',
  input: z.object({ folder: z.string(), times: z.number() }),
  run: async (ctx, { folder, times }) => {
    const before = (await readdir(folder)).length;
    if (before >= times) return { killed: before, attempt: ctx.attempt };
    await writeFile(join(folder, `${before}-${randomBytes(4).toString('hex')}`), '');
    if (worker > 1 && process.ppid === worker) process.kill(worker, 'SIGKILL');
    return await new Promise<never>(() => undefined);
  },
});

/** Ends its own process in every attempt, as the kernel does when memory is short. */
const die = defineStep({
  name: 'chaos/die',
  input: z.unknown(),
  run: async () => {
    process.kill(process.pid, 'SIGKILL');
    return await new Promise<never>(() => undefined);
  },
});

/** Logs so many megabytes: lines, bytes that are no text, and one line without an end. */
const flood = defineStep({
  name: 'chaos/flood',
  input: z.object({ megabytes: z.number() }),
  run: async (ctx, { megabytes }) => {
    const each = (megabytes * 1_048_576) / 4;
    for (let bytes = 0; bytes < each; bytes += 1_000) ctx.log.info('x'.repeat(1_000));
    for (let bytes = 0; bytes < each; bytes += 65_536) process.stdout.write(randomBytes(65_536));
    process.stdout.write('y'.repeat(each));
    for (let bytes = 0; bytes < each; bytes += 16) ctx.log.debug('short line here');
    await new Promise((resolve) => setTimeout(resolve, 50));
    return { logged: megabytes };
  },
});

export default defineHandlers([block, killWorker, die, flood]);
