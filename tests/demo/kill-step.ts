import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { eventually } from '#testing';

const Progress = z.object({ pid: z.int().positive(), attempt: z.int(), done: z.int(), of: z.int() });

/** The process that was ended, and how far it was. */
export interface Killed {
  readonly pid: number;
  readonly done: number;
  readonly of: number;
}

/** Waits until a silver step is a third through its first attempt, then ends its process with SIGKILL: it gets no chance to say a word. */
export async function killInTheMiddle(runFolder: string, aspect: string): Promise<Killed> {
  const file = join(runFolder, 'silver', `${aspect}.progress.json`);
  const { pid, done, of } = await eventually(
    async () => {
      const progress = Progress.parse(JSON.parse(await readFile(file, 'utf8')));
      return progress.attempt === 1 && progress.done * 3 >= progress.of && progress;
    },
    { within: 30_000, every: 10, what: `silver-${aspect} to be a third through` },
  );
  process.kill(pid, 'SIGKILL');
  return { pid, done, of };
}
