import { createServer, type Server } from 'node:http';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { compileDefinition } from '#definitions';
import { testStep } from '#sdk';
import { bronze } from './bronze.ts';
import handlers from './index.ts';
import { gold } from './gold.ts';
import { type LayerFile, sha256Of, writeWhole } from './layer-file.ts';
import { publish } from './publish.ts';
import { silverDates } from './silver-dates.ts';
import { silverMoney } from './silver-money.ts';
import { silverRatings } from './silver-ratings.ts';
import { silverTitles } from './silver-titles.ts';
import { sliceRows } from './silver-step.ts';

const runId = '00000000-0000-7000-8000-000000000001';

const film = (facts: Readonly<Record<string, unknown>> = {}) => ({
  Title: 'Plain',
  'Release Date': 'Jun 12 1998',
  'Worldwide Gross': 300,
  'US Gross': 100,
  'Production Budget': 100,
  'Major Genre': 'Drama',
  'IMDB Rating': 6,
  ...facts,
});

describe('the medallion template', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'flowforge-test-medallion-'));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  async function bronzeOf(films: readonly unknown[]): Promise<LayerFile> {
    const file = join(folder, 'films.json');
    return { file, rows: films.length, ...(await writeWhole(file, JSON.stringify(films))) };
  }

  async function cleaned(
    step: typeof silverTitles,
    films: readonly unknown[],
  ): Promise<{ kept: unknown; repaired: number; rejected: unknown }> {
    const { output } = await testStep(step, { bronze: await bronzeOf(films), folder });
    return { kept: JSON.parse(await readFile(output.file, 'utf8')), repaired: output.repaired, rejected: output.rejected };
  }

  it('compiles, and uses only handlers that it brings', async () => {
    const { plan } = compileDefinition(await readFile(new URL('../workflow.yaml', import.meta.url), 'utf8'));

    const used = plan.steps.map((step) => step.uses).filter((uses) => uses.includes('/'));
    expect(used.toSorted()).toEqual(handlers.map((handler) => handler.name).toSorted());
  });

  it('makes titles clean texts: numbers, blanks, letters in a wrong alphabet', async () => {
    const films = [
      film({ Title: 1776 }),
      film({ Title: 'The  End ' }),
      film({ Title: "Le destin d'AmÈlie" }),
      film({ Title: 'Alien³' }),
      film({ Title: null }),
    ];

    expect(await cleaned(silverTitles, films)).toEqual({
      kept: [
        [0, '1776'],
        [1, 'The End'],
        [2, "Le destin d'Amélie"],
        [3, 'Alien³'],
      ],
      repaired: 3,
      rejected: { 'title.missing': 1 },
    });
  });

  it('puts dates of two-digit years into their own century and rejects what is no date', async () => {
    const films = [film({ 'Release Date': 'Dec 15 2039' }), film(), film({ 'Release Date': '1998-06-12' }), film({ 'Release Date': null })];

    expect(await cleaned(silverDates, films)).toEqual({
      kept: [
        [0, '1939-12-15'],
        [1, '1998-06-12'],
      ],
      repaired: 1,
      rejected: { 'date.unreadable': 2 },
    });
  });

  it('takes zero for unknown money, and the gross of the United States as a floor', async () => {
    const films = [
      film(),
      film({ 'Worldwide Gross': 50 }),
      film({ 'Worldwide Gross': 0, 'US Gross': null }),
      film({ 'Production Budget': 0 }),
    ];

    expect(await cleaned(silverMoney, films)).toEqual({
      kept: [
        [0, { grossUsd: 300, budgetUsd: 100 }],
        [1, { grossUsd: 100, budgetUsd: 100 }],
      ],
      repaired: 1,
      rejected: { 'gross.unknown': 1, 'budget.unknown': 1 },
    });
  });

  it('keeps films without genre or rating', async () => {
    expect(await cleaned(silverRatings, [film(), film({ 'Major Genre': null, 'IMDB Rating': 11 })])).toEqual({
      kept: [
        [0, { genre: 'Drama', imdb: 6 }],
        [1, { genre: 'Not named', imdb: null }],
      ],
      repaired: 1,
      rejected: {},
    });
  });

  it('goes on after the slices of an attempt that was killed', async () => {
    const input = { bronze: await bronzeOf(Array.from({ length: 3 * sliceRows + 1 }, () => film())), folder };
    const whole = await testStep(silverTitles, input);
    await rm(join(folder, runId, 'silver', 'titles.slices', '0.json'));
    await rm(whole.output.file);

    const again = await testStep(silverTitles, input, { attempt: 2 });

    expect(again.output).toEqual({ ...whole.output, slicesReused: 3 });
    expect(JSON.parse(await readFile(join(folder, runId, 'silver', 'titles.progress.json'), 'utf8'))).toEqual({
      pid: process.pid,
      attempt: 2,
      done: 601,
      of: 601,
    });
  });

  it('refuses a layer that changed on its way, and a folder that depends on who looks', async () => {
    const layer = await bronzeOf([film()]);
    await writeFile(layer.file, '[]');

    await expect(testStep(silverTitles, { bronze: layer, folder })).rejects.toMatchObject({ code: 'medallion.checksum', retryable: false });
    await expect(testStep(silverTitles, { bronze: await bronzeOf([]), folder: 'here' })).rejects.toMatchObject({
      code: 'medallion.folder_relative',
    });
  });

  it('sums up by genre, richest first, and publishes for people and programs', async () => {
    const films = [
      film({ Title: 'Small' }),
      film({ Title: 'Big, "loud"', 'Worldwide Gross': 900, 'IMDB Rating': null }),
      film({ 'Major Genre': 'Action', 'Worldwide Gross': 5_000 }),
      film({ 'Release Date': 'Jan 01 1980' }),
      film({ Title: null }),
    ];
    const input = { bronze: await bronzeOf(films), folder };
    const silver = {
      titles: (await testStep(silverTitles, input)).output,
      dates: (await testStep(silverDates, input)).output,
      money: (await testStep(silverMoney, input)).output,
      ratings: (await testStep(silverRatings, input)).output,
    };

    const { output } = await testStep(gold, { ...silver, folder, fromYear: 1990 });
    const published = await testStep(publish, { gold: output, folder, title: 'Films' });

    expect(output.films).toBe(3);
    expect(output.genres).toEqual([
      { genre: 'Action', films: 1, grossUsd: 5_000, budgetUsd: 100, returnRatio: 50, imdbMean: 6, biggestFilm: 'Plain' },
      { genre: 'Drama', films: 2, grossUsd: 1_200, budgetUsd: 200, returnRatio: 6, imdbMean: 6, biggestFilm: 'Big, "loud"' },
    ]);
    expect(await readFile(join(published.output.folder, 'genres.csv'), 'utf8')).toBe(
      'genre,films,grossUsd,budgetUsd,returnRatio,imdbMean,biggestFilm\nAction,1,5000,100,50,6,Plain\nDrama,2,1200,200,6,6,"Big, ""loud"""\n',
    );
    expect(published.output.files.map(({ file }) => file.split('/').at(-1))).toEqual([
      'genres.csv',
      'genres.json',
      'chart.svg',
      'report.md',
    ]);
  });

  describe('bronze', () => {
    let source: Server;
    let url: string;
    let answer: { status: number; body: string };

    beforeEach(async () => {
      source = createServer((_, response) => response.writeHead(answer.status).end(answer.body));
      await new Promise<void>((resolve) => source.listen(0, '127.0.0.1', resolve));
      const address = source.address();
      url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/films.json`;
    });

    afterEach(async () => {
      await new Promise((resolve) => source.close(resolve));
    });

    it('keeps the bytes as they came', async () => {
      answer = { status: 200, body: JSON.stringify([film()], null, 2) };

      const { output } = await testStep(bronze, { url, sha256: sha256Of(Buffer.from(answer.body)), folder });

      expect(await readFile(output.file, 'utf8')).toBe(answer.body);
      expect(output.rows).toBe(1);
    });

    it.each([
      [503, { code: 'bronze.status.503', retryable: true }],
      [404, { code: 'bronze.status.404', retryable: false }],
      [200, { code: 'bronze.checksum', retryable: false }],
    ])('fails on an answer of %i that is not the file', async (status, failure) => {
      answer = { status, body: 'no' };

      await expect(testStep(bronze, { url, sha256: 'x', folder })).rejects.toMatchObject(failure);
    });
  });
});
