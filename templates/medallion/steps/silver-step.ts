import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as rest } from 'node:timers/promises';
import { z } from 'zod';
import { defineStep, type StepContext } from '#sdk';
import { RawFilms, type RawFilm } from './film.ts';
import { LayerFile, readLayer, runFolder, writeWhole } from './layer-file.ts';

/** What cleaning makes of one film: a value, repaired or as it was, or a reason why it has none. */
export type Cleaned<Value> = { readonly value: Value; readonly repaired?: boolean } | { readonly rejected: string };

/** Films cleaned before the step looks up: the loss when its process dies. */
export const sliceRows = 200;

const SilverInput = z.object({ bronze: LayerFile, folder: z.string(), pauseMs: z.number().int().min(0).max(1_000).default(0) });

export const SilverOutput = LayerFile.extend({
  repaired: z.int(),
  rejected: z.record(z.string(), z.int()),
  /** Slices taken over from an earlier attempt. */
  slicesReused: z.int(),
});

const Slice = z.object({ kept: z.array(z.tuple([z.int(), z.json()])), repaired: z.int(), rejected: z.record(z.string(), z.int()) });
type Slice = z.infer<typeof Slice>;

/**
 * A silver step: cleans one aspect of every film, slice by slice. Each finished slice is a file, so an attempt that follows a killed one goes
 * on where that one was. `<aspect>.progress.json` tells who works on it and how far he is. The result maps row numbers to values.
 */
export function silverStep<Value extends z.core.util.JSONType>(
  aspect: string,
  description: string,
  clean: (film: RawFilm) => Cleaned<Value>,
) {
  return defineStep({
    name: `medallion/silver-${aspect}`,
    description,
    input: SilverInput,
    output: SilverOutput,
    heartbeatTimeoutSeconds: 20,
    run: async (ctx, { bronze, folder, pauseMs }) => {
      const films = RawFilms.parse(JSON.parse(await readLayer(bronze)));
      const base = join(runFolder(folder, ctx.run.id), 'silver', aspect);
      await mkdir(`${base}.slices`, { recursive: true });
      const slices: Slice[] = [];
      let slicesReused = 0;
      for (let from = 0; from < films.length; from += sliceRows) {
        const file = join(`${base}.slices`, `${from}.json`);
        const earlier = await earlierSlice(file);
        const slice = earlier ?? cleanSlice(films, from, clean);
        if (earlier) slicesReused += 1;
        else await writeWhole(file, JSON.stringify(slice));
        slices.push(slice);
        await tellProgress(ctx, base, Math.min(from + sliceRows, films.length), films.length);
        if (!earlier && pauseMs > 0) await rest(pauseMs, undefined, { signal: ctx.signal });
      }
      const kept = slices.flatMap((slice) => slice.kept);
      const repaired = slices.reduce((sum, slice) => sum + slice.repaired, 0);
      const rejected = addedUp(slices.map((slice) => slice.rejected));
      ctx.log.info('cleaned', { kept: kept.length, repaired, rejected, slicesReused });
      return {
        file: `${base}.json`,
        rows: kept.length,
        repaired,
        rejected,
        slicesReused,
        ...(await writeWhole(`${base}.json`, JSON.stringify(kept))),
      };
    },
  });
}

function cleanSlice<Value extends z.core.util.JSONType>(
  films: readonly RawFilm[],
  from: number,
  clean: (film: RawFilm) => Cleaned<Value>,
): Slice {
  const cleaned = films.slice(from, from + sliceRows).map((film, at) => ({ row: from + at, ...clean(film) }));
  return {
    kept: cleaned.flatMap((one) => ('value' in one ? [[one.row, one.value] satisfies [number, Value]] : [])),
    repaired: cleaned.filter((one) => 'value' in one && one.repaired).length,
    rejected: addedUp(cleaned.flatMap((one) => ('rejected' in one ? [{ [one.rejected]: 1 }] : []))),
  };
}

async function earlierSlice(file: string): Promise<Slice | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : Slice.parse(JSON.parse(text));
}

async function tellProgress(ctx: StepContext, base: string, done: number, of: number): Promise<void> {
  await writeWhole(`${base}.progress.json`, JSON.stringify({ pid: process.pid, attempt: ctx.attempt, done, of }));
  ctx.heartbeat(`${done} of ${of}`);
}

function addedUp(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const [key, count] of counts.flatMap((one) => Object.entries(one))) sums[key] = (sums[key] ?? 0) + count;
  return sums;
}
