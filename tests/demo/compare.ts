import { z } from 'zod';
import type { RecomputedGenre } from './recompute.ts';

/** The table as the workflow hands it on; read anew here, so that its own types cannot agree with themselves. */
export const GoldTable = z.object({
  films: z.int(),
  fromYear: z.int(),
  genres: z.array(
    z.object({
      genre: z.string(),
      films: z.int(),
      grossUsd: z.int(),
      budgetUsd: z.int(),
      returnRatio: z.number(),
      imdbMean: z.number().nullable(),
      biggestFilm: z.string(),
    }),
  ),
});
export type GoldTable = z.infer<typeof GoldTable>;

/** Sums are compared exactly. Quotients of doubles may differ by their last digits, nothing more. */
const quotientTolerance = 1e-9;

/** What differs, one sentence each; empty when the two tables are the same. */
export function differences(table: GoldTable, recomputed: ReadonlyMap<string, RecomputedGenre>): string[] {
  const films = [...recomputed.values()].reduce((sum, row) => sum + row.films, 0);
  const missing = [...recomputed.keys()].filter((genre) => !table.genres.some((row) => row.genre === genre));
  return [
    ...missing.map((genre) => `${genre} is missing in the workflow's table.`),
    ...(films === table.films ? [] : [`The workflow counts ${table.films} films, the recomputation ${films}.`]),
    ...table.genres.flatMap((row) => rowDifferences(row, recomputed.get(row.genre))),
  ];
}

function rowDifferences(row: GoldTable['genres'][number], other: RecomputedGenre | undefined): string[] {
  if (!other) return [`${row.genre} is not in the recomputed table.`];
  const mean = other.rated === 0 ? null : Number(other.imdbHundredths) / 100 / other.rated;
  const same = {
    films: row.films === other.films,
    grossUsd: BigInt(row.grossUsd) === other.grossUsd,
    budgetUsd: BigInt(row.budgetUsd) === other.budgetUsd,
    returnRatio: near(row.returnRatio, Number(other.grossUsd) / Number(other.budgetUsd)),
    imdbMean: row.imdbMean === null || mean === null ? row.imdbMean === mean : near(row.imdbMean, mean),
    biggestFilm: row.biggestFilm === other.biggestFilm,
  };
  return Object.entries(same).flatMap(([column, holds]) => (holds ? [] : [`${row.genre}: ${column} differs.`]));
}

function near(left: number, right: number): boolean {
  return Math.abs(left - right) <= quotientTolerance * Math.max(Math.abs(left), Math.abs(right), 1);
}
