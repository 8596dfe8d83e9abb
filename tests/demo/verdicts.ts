import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import pg from 'pg';
import { z } from 'zod';
import { checkInvariants, formatReport } from '#store';
import { eventually } from '#testing';
import { differences, GoldTable } from './compare.ts';
import type { DataSet } from './data-set.ts';
import { ganttOf } from './gantt.ts';
import { profileTimes, type LocalProfile } from './local-profile.ts';
import { fromYear, type MedallionRun } from './medallion-run.ts';
import { fact, heading, line, table, type Verdict } from './printing.ts';
import { recompute } from './recompute.ts';
import type { SourceServer } from './source-server.ts';

export function showTimeline({ detail, transitions, streamed }: MedallionRun): Verdict[] {
  heading('The timeline');
  for (const text of ganttOf(transitions)) line(text);
  line('· with its worker, not begun   █ runs   ✗ fails   ░ waits for its next attempt');
  const ids = (all: MedallionRun['transitions']) => all.map(({ seq }) => seq).join();
  return [
    { claim: 'the run succeeded', holds: detail.state === 'SUCCEEDED', seen: detail.state },
    {
      claim: 'the live stream brought each transition once, in order',
      holds: ids(streamed) === ids(transitions),
      seen: `${transitions.length} transitions`,
    },
  ];
}

export async function showTable(dataSet: DataSet, run: MedallionRun): Promise<Verdict[]> {
  heading(`The result: films since ${fromYear} by genre`);
  const { files } = Published.parse(run.detail.output).publish;
  const gold = GoldTable.parse({ films: 0, fromYear, genres: await readJson(files, 'genres.json') });
  const counted = { ...gold, films: gold.genres.reduce((sum, row) => sum + row.films, 0) };
  table(
    ['genre', 'films', 'gross bn $', 'budget bn $', 'return', 'IMDB', 'biggest film'],
    counted.genres.map((row) => [
      row.genre,
      String(row.films),
      (row.grossUsd / 1e9).toFixed(2),
      (row.budgetUsd / 1e9).toFixed(2),
      row.returnRatio.toFixed(2),
      row.imdbMean?.toFixed(2) ?? '–',
      row.biggestFilm,
    ]),
    [0, 6],
  );
  line();
  const checksums = await Promise.all(files.map(async ({ file, sha256 }) => sha256Of(await readFile(file)) === sha256));
  for (const { file, bytes } of files) fact(`${bytes} bytes`, relative(process.cwd(), file));
  const differing = differences(counted, recompute(dataSet.rows, fromYear));
  for (const text of differing) line(text);
  return [
    {
      claim: 'an independent computation from the raw rows gives the same table',
      holds: differing.length === 0 && counted.genres.length > 0,
      seen: `${counted.genres.length} genres × 6 columns, ${counted.films} of ${dataSet.rows.length} films`,
    },
    {
      claim: 'each published file has the checksum that its step reported',
      holds: checksums.every(Boolean),
      seen: `${files.length} files`,
    },
  ];
}

const Published = z.object({ publish: z.object({ files: z.array(z.object({ file: z.string(), bytes: z.int(), sha256: z.string() })) }) });

async function readJson(files: readonly { file: string }[], name: string): Promise<unknown> {
  const file = files.find((one) => one.file.endsWith(name))?.file;
  return file === undefined ? [] : JSON.parse(await readFile(file, 'utf8'));
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function showFaults({ transitions, killed }: MedallionRun, source: SourceServer): Verdict[] {
  heading('What went wrong on the way, and how it was met');
  const failures = transitions.filter((move) => move.newState === 'RETRYING');
  for (const { step, attempt, reason, transitionedAt } of failures) {
    const again = transitions.find((move) => move.step === step && move.newState === 'DISPATCHED' && move.attempt === (attempt ?? 1) + 1);
    const after = again ? ` → sent again after ${Date.parse(again.transitionedAt) - Date.parse(transitionedAt)} ms` : '';
    line(`${(step ?? '').padEnd(14)} attempt ${attempt} ${reason}${after}`);
  }
  line(`the worker said: ${killed.told}`);
  const of = (step: string) => failures.filter((move) => move.step === step).length;
  return [
    {
      claim: 'a source out of order was asked again by the retry policy',
      holds: source.answers.join() === '503,503,200' && of('bronze') === 2,
      seen: `the source answered ${source.answers.join(', ')}`,
    },
    {
      claim: 'a step whose process was killed went on in another process, where the first had been',
      holds: killed.told.includes('exit code 137') && of(killed.step) === 1 && killed.slicesReused > 0,
      seen: `SIGKILL after ${killed.done} of ${killed.of} rows, ${killed.slicesReused} slices taken over`,
    },
  ];
}

export function showResolution({ explanation, detail }: MedallionRun): Verdict[] {
  heading('Why it ran where it ran');
  const { resolution } = explanation;
  fact('asked for', `environment ${resolution.environment ?? '–'}, team ${resolution.team ?? '–'}`);
  for (const { rule, key, found } of resolution.tried) fact(`rule ${rule}`, `FLOWFORGE_DEPLOYMENT_${key}: ${found ? 'found' : 'none'}`);
  fact('deployment', `${resolution.deployment.name}, pool ${resolution.deployment.pool}`);
  fact('the run', explanation.summary);
  const holds = resolution.matchedBy === 'environment' && resolution.deployment.id === detail.deployment.id;
  return [{ claim: 'one call explains why the run went to its deployment', holds, seen: `matched by ${resolution.matchedBy}` }];
}

/** Asks the checker, as `flowforge doctor` does, of the whole database; nothing may be under way any more. */
export async function showInvariants(profile: LocalProfile, { detail }: MedallionRun): Promise<Verdict[]> {
  heading('The invariants, checked on the database');
  const owner = new pg.Client(profile.databaseUrl);
  await owner.connect();
  try {
    await eventually(async () => (await owner.query('select 1 from worker_sessions where cardinality(held_runs) > 0')).rowCount === 0, {
      what: 'the workers to tell that they hold nothing',
    });
    const bounds = { leaseSeconds: profileTimes.leaseSeconds, sweepSeconds: profileTimes.sweepSeconds };
    const report = await checkInvariants(owner, { quiescent: true, expected: [detail.id], bounds });
    for (const text of formatReport(report).split('\n')) line(text);
    const { verdict, auditRows } = report.summary;
    return [{ claim: 'every invariant that was checked holds', holds: verdict === 'holds', seen: `${auditRows} audit rows` }];
  } finally {
    await owner.end();
  }
}
