import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { defineHandlers, defineStep } from '#sdk';

const sum = defineStep({
  name: 'test/sum',
  input: z.object({ numbers: z.array(z.number()) }),
  run: (_, { numbers }) => numbers.reduce((a, b) => a + b, 0),
});

/** Notes its process in the folder. The first that does so never ends by itself; the next is told how many came before it. */
const stuckOnce = defineStep({
  name: 'test/stuck-once',
  input: z.object({ folder: z.string() }),
  run: async (ctx, { folder }) => {
    const before = await readdir(folder);
    await writeFile(join(folder, String(process.pid)), '');
    if (before.length === 0) await new Promise(() => undefined);
    return { before: before.length, attempt: ctx.attempt };
  },
});

export default defineHandlers([sum, stuckOnce]);
