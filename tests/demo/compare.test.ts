import { describe, expect, it } from '@jest/globals';
import { differences, type GoldTable } from './compare.ts';
import { recompute } from './recompute.ts';

const raw = (facts: Readonly<Record<string, unknown>>) => ({
  Title: 'Plain',
  'Release Date': 'Jun 12 1998',
  'Worldwide Gross': 300,
  'US Gross': 100,
  'Production Budget': 100,
  'Major Genre': 'Drama',
  'IMDB Rating': 6.1,
  ...facts,
});

const drama = { genre: 'Drama', films: 2, grossUsd: 1_200, budgetUsd: 200, returnRatio: 6, imdbMean: 6.1, biggestFilm: 'Le fabuleux é' };
const table: GoldTable = { films: 2, fromYear: 1990, genres: [drama] };
const rows = [
  raw({}),
  raw({ Title: 'Le  fabuleux È', 'Worldwide Gross': 900, 'IMDB Rating': null }),
  raw({ 'Release Date': 'Dec 15 2039' }),
  raw({ 'Production Budget': 0 }),
];

describe('the comparison with an independent computation', () => {
  it('finds nothing where the tables are the same', () => {
    expect(differences(table, recompute(rows, 1990))).toEqual([]);
  });

  it.each(['films', 'grossUsd', 'budgetUsd', 'returnRatio', 'imdbMean'] as const)('notices another %s', (column) => {
    const wrong = { ...table, genres: [{ ...drama, [column]: drama[column] + 1 }] };

    expect(differences(wrong, recompute(rows, 1990))).toContain(`Drama: ${column} differs.`);
  });

  it('notices a genre too many, one that is missing, and another film', () => {
    const other = { ...drama, genre: 'Action', biggestFilm: 'Plain' };

    expect(differences({ ...table, genres: [other] }, recompute(rows, 1990))).toEqual([
      "Drama is missing in the workflow's table.",
      'Action is not in the recomputed table.',
    ]);
    expect(differences({ ...table, genres: [{ ...drama, biggestFilm: 'Plain' }] }, recompute(rows, 1990))).toEqual([
      'Drama: biggestFilm differs.',
    ]);
  });
});
