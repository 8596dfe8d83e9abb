import { z } from 'zod';

/** A film as the source has it. Only what the silver steps look at; what may be missing is missing in some rows. */
export const RawFilm = z.object({
  Title: z.union([z.string(), z.number()]).nullish(),
  'Release Date': z.string().nullish(),
  'Worldwide Gross': z.number().nullish(),
  'US Gross': z.number().nullish(),
  'Production Budget': z.number().nullish(),
  'Major Genre': z.string().nullish(),
  'IMDB Rating': z.number().nullish(),
});
export type RawFilm = z.infer<typeof RawFilm>;

export const RawFilms = z.array(RawFilm);
