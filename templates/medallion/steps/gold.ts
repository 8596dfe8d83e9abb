import { join } from 'node:path';
import { z } from 'zod';
import { defineStep } from '#sdk';
import { LayerFile, readLayer, runFolder, writeWhole } from './layer-file.ts';

/** What is known of one genre. Money in US dollars; `returnRatio` is gross over budget; `imdbMean` over the films that have a rating. */
export const GenreRow = z.object({
  genre: z.string(),
  films: z.int(),
  grossUsd: z.int(),
  budgetUsd: z.int(),
  returnRatio: z.number(),
  imdbMean: z.number().nullable(),
  biggestFilm: z.string(),
});
export type GenreRow = z.infer<typeof GenreRow>;

export const Gold = z.object({ layer: LayerFile, fromYear: z.int(), films: z.int(), genres: z.array(GenreRow) });

const aspects = {
  titles: z.array(z.tuple([z.int(), z.string()])),
  dates: z.array(z.tuple([z.int(), z.iso.date()])),
  money: z.array(z.tuple([z.int(), z.object({ grossUsd: z.int(), budgetUsd: z.int() })])),
  ratings: z.array(z.tuple([z.int(), z.object({ genre: z.string(), imdb: z.number().nullable() })])),
};

interface Film {
  readonly title: string;
  readonly genre: string;
  readonly imdb: number | null;
  readonly grossUsd: number;
  readonly budgetUsd: number;
}

/** Joins the four silver files by row number: a film counts when each of them kept it. The richest genre comes first. */
export const gold = defineStep({
  name: 'medallion/gold',
  description: 'Joins the silver files and sums the films up by genre.',
  input: z.object({ titles: LayerFile, dates: LayerFile, money: LayerFile, ratings: LayerFile, folder: z.string(), fromYear: z.int() }),
  output: Gold,
  run: async (ctx, { folder, fromYear, ...layers }) => {
    const titles = new Map(aspects.titles.parse(JSON.parse(await readLayer(layers.titles))));
    const dates = new Map(aspects.dates.parse(JSON.parse(await readLayer(layers.dates))));
    const money = new Map(aspects.money.parse(JSON.parse(await readLayer(layers.money))));
    const ratings = new Map(aspects.ratings.parse(JSON.parse(await readLayer(layers.ratings))));
    const films = [...titles].flatMap(([row, title]): Film[] => {
      const [date, sums, rating] = [dates.get(row), money.get(row), ratings.get(row)];
      return date && sums && rating && Number(date.slice(0, 4)) >= fromYear ? [{ title, ...sums, ...rating }] : [];
    });
    const genres = [...Map.groupBy(films, (film) => film.genre)].map(([genre, group]) => summedUp(genre, group));
    genres.sort((left, right) => right.grossUsd - left.grossUsd);
    const file = join(runFolder(folder, ctx.run.id), 'gold', 'genres.json');
    ctx.log.info('summed up', { films: films.length, genres: genres.length });
    return {
      layer: { file, rows: genres.length, ...(await writeWhole(file, JSON.stringify(genres))) },
      fromYear,
      films: films.length,
      genres,
    };
  },
});

function summedUp(genre: string, films: readonly Film[]): GenreRow {
  const sum = (of: (film: Film) => number) => films.reduce((total, film) => total + of(film), 0);
  const [grossUsd, budgetUsd] = [sum((film) => film.grossUsd), sum((film) => film.budgetUsd)];
  const rated = films.flatMap((film) => film.imdb ?? []);
  const biggest = films.reduce((best, film) => (film.grossUsd > best.grossUsd ? film : best));
  return {
    genre,
    films: films.length,
    grossUsd,
    budgetUsd,
    returnRatio: grossUsd / budgetUsd,
    imdbMean: rated.length === 0 ? null : rated.reduce((total, rating) => total + rating, 0) / rated.length,
    biggestFilm: biggest.title,
  };
}
