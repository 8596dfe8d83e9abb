/** Handlers that behave, and handlers that do not, for the worker's tests. */
import { spawn } from 'node:child_process';
import { z } from 'zod';
import { defineStep, nonRetryable } from '#sdk';

const anything = z.unknown();

/** Answers what it was told of its step. */
export const tell = defineStep({
  name: 'test/tell',
  input: anything,
  run: ({ idempotencyKey, attempt, run, step }, input) => ({
    idempotencyKey,
    attempt,
    run,
    step,
    input,
    redisUrl: process.env['REDIS_URL'] ?? null,
    pid: process.pid,
  }),
});

export const strict = defineStep({ name: 'test/strict', input: z.object({ n: z.number() }), run: (_, { n }) => n });

export const refuse = defineStep({
  name: 'test/refuse',
  input: anything,
  run: () => {
    throw nonRetryable('crm.gone', 'The customer is gone.');
  },
});

/** Waits for the abort signal and obeys. */
export const obedient = defineStep({
  name: 'test/obedient',
  input: anything,
  run: async (ctx) => {
    ctx.log.info('waiting');
    await new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason)));
  },
});

/** Never yields: neither a signal nor a message reaches it. */
export const spin = defineStep({
  name: 'test/spin',
  input: anything,
  run: (ctx) => {
    ctx.log.info('spinning', { pid: process.pid });
    for (;;);
  },
});

export const pause = defineStep({
  name: 'test/pause',
  input: z.object({ ms: z.number() }),
  run: async (_, { ms }) => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return 'rested';
  },
});

export const exit = defineStep({ name: 'test/exit', input: z.object({ code: z.number() }), run: (_, { code }) => process.exit(code) });

export const killed = defineStep({
  name: 'test/killed',
  input: anything,
  run: async () => {
    process.kill(process.pid, 'SIGKILL');
    await new Promise(() => undefined);
  },
});

export const big = defineStep({ name: 'test/big', input: z.object({ bytes: z.number() }), run: (_, { bytes }) => 'x'.repeat(bytes) });

export const unstorable = defineStep({ name: 'test/unstorable', input: anything, run: () => ({ text: 'a\0b' }) });

export const chatty = defineStep({
  name: 'test/chatty',
  input: z.object({ lines: z.number(), bytes: z.number() }),
  run: (ctx, { lines, bytes }) => {
    for (let line = 0; line < lines; line += 1) ctx.log.info('x'.repeat(bytes));
  },
});

/** Speaks in every way there is. */
export const speak = defineStep({
  name: 'test/speak',
  input: anything,
  run: async (ctx) => {
    ctx.log.warn('from the context', { password: 'hunter2', token: 't' });
    process.stdout.write('from the console\n');
    process.stderr.write('from stderr');
    process.stdout.write('the password=hunter2 is known\n');
    await new Promise((resolve) => spawn('echo', ['from a subprocess'], { stdio: 'inherit' }).on('close', resolve));
    await new Promise((resolve) => setTimeout(resolve, 50));
  },
});

export const silent = defineStep({
  name: 'test/silent',
  heartbeatTimeoutSeconds: 0.3,
  input: anything,
  run: (ctx) => new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason))),
});

export const beating = defineStep({
  name: 'test/beating',
  heartbeatTimeoutSeconds: 0.4,
  input: anything,
  run: async (ctx) => {
    for (let beat = 0; beat < 10; beat += 1) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      ctx.heartbeat();
    }
    return 'alive';
  },
});
