import { join } from 'node:path';
import { z } from 'zod';
import { defineStep, nonRetryable } from '#sdk';
import { barChart } from './bar-chart.ts';
import { Gold, type GenreRow } from './gold.ts';
import { readLayer, runFolder, writeWhole } from './layer-file.ts';

/** Writes the result for people and for programs: `genres.csv`, `genres.json`, `report.md` and its `chart.svg`. */
export const publish = defineStep({
  name: 'medallion/publish',
  description: 'Writes the gold table as CSV, JSON and a report with a chart.',
  input: z.object({ gold: Gold, folder: z.string(), title: z.string() }),
  output: z.object({ folder: z.string(), files: z.array(z.object({ file: z.string(), bytes: z.int(), sha256: z.string() })) }),
  run: async (ctx, { gold, folder, title }) => {
    if ((await readLayer(gold.layer)) !== JSON.stringify(gold.genres)) {
      throw nonRetryable('medallion.gold_differs', 'The gold file and the table that was handed over are not the same.');
    }
    const place = join(runFolder(folder, ctx.run.id), 'published');
    const contents = {
      'genres.csv': csvOf(gold.genres),
      'genres.json': `${JSON.stringify(gold.genres, null, 2)}\n`,
      'chart.svg': barChart(title, gold.genres),
      'report.md': reportOf(title, gold.genres, ctx.run.id),
    };
    const files = [];
    for (const [name, content] of Object.entries(contents))
      files.push({ file: join(place, name), ...(await writeWhole(join(place, name), content)) });
    return { folder: place, files };
  },
});

const columns = ['genre', 'films', 'grossUsd', 'budgetUsd', 'returnRatio', 'imdbMean', 'biggestFilm'] as const;

function csvOf(genres: readonly GenreRow[]): string {
  const lines = genres.map((row) => columns.map((column) => csvField(row[column])).join(','));
  return `${[columns.join(','), ...lines].join('\n')}\n`;
}

/** Quoted where RFC 4180 asks for it. */
function csvField(value: string | number | null): string {
  const text = String(value ?? '');
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function reportOf(title: string, genres: readonly GenreRow[], runId: string): string {
  const rows = genres.map(
    (row) =>
      `| ${row.genre} | ${row.films} | ${(row.grossUsd / 1e9).toFixed(2)} | ${(row.budgetUsd / 1e9).toFixed(2)} | ${row.returnRatio.toFixed(2)} | ${row.imdbMean?.toFixed(2) ?? '–'} | ${row.biggestFilm.replaceAll('|', '\\|')} |`,
  );
  return [
    `# ${title}`,
    '',
    '![Worldwide gross by genre](chart.svg)',
    '',
    '| genre | films | gross, bn $ | budget, bn $ | return | IMDB | biggest film |',
    '|---|--:|--:|--:|--:|--:|---|',
    ...rows,
    '',
    `Made by run ${runId}.`,
    '',
  ].join('\n');
}
