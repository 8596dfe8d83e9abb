import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import pg from 'pg';
import { z } from 'zod';
import type { Transition } from '#contracts';
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
  line('· with its worker, not begun   █ runs   ✗ fails or is lost   ░ waits for its next attempt');
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

export function showFaults({ transitions, strikes, slicesReused }: MedallionRun, source: SourceServer): Verdict[] {
  heading('What went wrong on the way, and how it was met');
  const { step: struck, stepProcess, flowforge } = strikes;
  for (const { transition, again } of setbacks(transitions)) {
    const { step, attempt, reason, transitionedAt } = transition;
    const after = again
      ? ` → sent again after ${Date.parse(again.transitionedAt) - Date.parse(transitionedAt)} ms`
      : ' → sent again at once';
    line(`${(step ?? '').padEnd(14)} attempt ${attempt} ${reason}${after}`);
  }
  line(`the worker said: ${stepProcess.told}`);
  const retries = (step: string) => transitions.filter((move) => move.step === step && move.newState === 'RETRYING').length;
  // A step that no heartbeat had listed yet is known by its message alone.
  const recovered = transitions.filter(
    (move) => move.newState === 'DISPATCHED' && ['worker.lost', 'task.lost'].includes(move.reason ?? ''),
  );
  return [
    {
      claim: 'a source out of order was asked again by the retry policy',
      holds: source.answers.join() === '503,503,200' && retries('bronze') === 2,
      seen: `the source answered ${source.answers.join(', ')}`,
    },
    {
      claim: 'a step whose process was killed went on in another one',
      holds: stepProcess.told.includes('exit code 137') && retries(struck) === 1,
      seen: `SIGKILL after ${stepProcess.done} of ${stepProcess.of} rows`,
    },
    {
      claim: 'FlowForge itself was killed, and the run went on when it was back, where it had been',
      holds: flowforge.exitCode === 137 && recovered.some((move) => move.step === struck) && slicesReused > 0,
      seen: `exit code ${flowforge.exitCode}; sent again: ${recovered.map((move) => move.step).join(', ')}; ${slicesReused} slices not done twice`,
    },
  ];
}

/** The moves that took a step back, and for a failed attempt the one that sent the next. */
function setbacks(transitions: MedallionRun['transitions']): { transition: Transition; again: Transition | undefined }[] {
  return transitions.flatMap((transition, at) => {
    if (transition.newState === 'DISPATCHED' && transition.reason !== null) return [{ transition, again: undefined }];
    if (transition.newState !== 'RETRYING') return [];
    return [{ transition, again: transitions.slice(at).find((move) => move.step === transition.step && move.newState === 'DISPATCHED') }];
  });
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
  const owner = new pg.Client(await profile.databaseUrl());
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
