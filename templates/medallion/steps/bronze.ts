import { join } from 'node:path';
import { z } from 'zod';
import { defineStep, nonRetryable, StepFailure } from '#sdk';
import { RawFilms } from './film.ts';
import { LayerFile, runFolder, sha256Of, writeWhole } from './layer-file.ts';

/** Bronze keeps the source byte by byte: whatever a later layer does wrong can be done again from here. */
export const bronze = defineStep({
  name: 'medallion/bronze',
  description: 'Fetches the table and keeps it as it came, after comparing it with the checksum of the catalogue.',
  input: z.object({ url: z.url(), sha256: z.string(), folder: z.string() }),
  output: LayerFile,
  run: async (ctx, { url, sha256, folder }) => {
    const body = await fetchBytes(url, ctx.signal);
    if (sha256Of(body) !== sha256) throw nonRetryable('bronze.checksum', 'The file is not the one that the catalogue describes.');
    const file = join(runFolder(folder, ctx.run.id), 'bronze', 'films.json');
    const written = await writeWhole(file, body);
    const rows = RawFilms.parse(JSON.parse(body.toString('utf8'))).length;
    ctx.log.info('fetched', { rows, bytes: written.bytes });
    return { file, rows, ...written };
  },
});

async function fetchBytes(url: string, signal: AbortSignal): Promise<Buffer> {
  const answer = await fetch(url, { signal });
  if (!answer.ok) {
    const retryable = answer.status >= 500 || answer.status === 429;
    throw new StepFailure(`bronze.status.${answer.status}`, `The source answered ${answer.status}.`, { retryable });
  }
  return Buffer.from(await answer.arrayBuffer());
}
