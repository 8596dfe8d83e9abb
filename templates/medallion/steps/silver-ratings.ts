import { silverStep } from './silver-step.ts';

/** Genre and rating. A film without a genre stays, under a name of its own; a rating outside of the scale is no rating. */
export const silverRatings = silverStep('ratings', 'Names the genre of every film and keeps ratings from 0 to 10.', (film) => {
  const genre = film['Major Genre']?.trim() || 'Not named';
  const rating = film['IMDB Rating'] ?? null;
  const imdb = rating !== null && rating >= 0 && rating <= 10 ? rating : null;
  return { value: { genre, imdb }, repaired: genre !== film['Major Genre'] || imdb !== rating };
});
