import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Medians } from '../figures.ts';
import { completed, judge } from '../goals/criterion.ts';
import { GOALS } from '../goals/goals.ts';
import type { BenchOptions } from '../options.ts';
import { goalCount, goalTable } from './goal-table.ts';
import { markdownOf } from './markdown.ts';
import { writePictures } from './pictures.ts';
import type { BenchResult } from './result.ts';
import { say } from './say.ts';
import { limitTable, workloadTable } from './tables.ts';

/** Judges the goals, prints the tables, and writes the files that were asked for. */
export async function report(found: Omit<BenchResult, 'goals'>, options: BenchOptions): Promise<BenchResult> {
  const { goals, notes } = completed(judge(GOALS, new Medians(found.summaries)), options.add);
  const result = { ...found, goals, notes: [...found.notes, ...notes] };
  print(result);
  if (options.json) await write(options.json, `${JSON.stringify(result, null, 1)}\n`);
  if (options.markdown) await write(options.markdown, markdownOf(result));
  if (options.pictures) for (const path of await writePictures(result)) say(`Written: ${path}`);
  return result;
}

function print({ summaries, goals, notes }: BenchResult): void {
  const systems = summaries.filter(({ system }) => system !== 'limit');
  const limits = summaries.filter(({ system }) => system === 'limit');
  for (const table of [workloadTable(systems), limitTable(limits), goalTable(goals, { all: false })]) {
    if (table.length <= 2) continue;
    say();
    for (const line of table) say(line);
  }
  say(`\nGoals: ${goalCount(goals)}.`);
  for (const note of notes) say(`Note: ${note}`);
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  say(`Written: ${path}`);
}
