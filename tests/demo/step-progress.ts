import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { eventually } from '#testing';

const Progress = z.object({ pid: z.int().positive(), attempt: z.int(), done: z.int(), of: z.int() });
export type Progress = z.infer<typeof Progress>;

/** Waits until an attempt of a silver step has done this share of its rows. Tells its process and how far it is. */
export function untilThrough(runFolder: string, aspect: string, attempt: number, share: number): Promise<Progress> {
  const file = join(runFolder, 'silver', `${aspect}.progress.json`);
  return eventually(
    async () => {
      const progress = Progress.parse(JSON.parse(await readFile(file, 'utf8')));
      return progress.attempt === attempt && progress.done >= share * progress.of && progress;
    },
    { within: 30_000, every: 10, what: `attempt ${attempt} of silver-${aspect} to have done ${Math.round(share * 100)} %` },
  );
}
