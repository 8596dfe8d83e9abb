/** The same table computed once more, straight from the raw rows, in one pass and without a line of the workflow's own code. */
export interface RecomputedGenre {
  readonly genre: string;
  readonly films: number;
  readonly grossUsd: bigint;
  readonly budgetUsd: bigint;
  readonly imdbHundredths: bigint;
  readonly rated: number;
  readonly biggestFilm: string;
  readonly biggestGross: bigint;
}

/** Letters that the source shows instead of the right ones. */
const rightLetters: Readonly<Record<string, string>> = {
  È: 'é',
  Ë: 'è',
  Í: 'ê',
  Î: 'ë',
  '·': 'á',
  '‡': 'à',
  '‰': 'ä',
  Û: 'ó',
  Ô: 'ï',
  '˘': 'ù',
  Ö: '…',
  Ω: '½',
};

/** Sums up the raw rows of films released since `fromYear`. Whole dollars and hundredths of rating points: no rounding anywhere. */
export function recompute(rows: readonly unknown[], fromYear: number): Map<string, RecomputedGenre> {
  const genres = new Map<string, RecomputedGenre>();
  for (const row of rows) {
    if (typeof row !== 'object' || row === null) continue;
    const film = new Map<string, unknown>(Object.entries(row));
    const title = titleOf(film.get('Title'));
    const year = yearOf(String(film.get('Release Date')));
    const world = dollars(film.get('Worldwide Gross'));
    const home = dollars(film.get('US Gross'));
    const gross = world > home ? world : home;
    const budget = dollars(film.get('Production Budget'));
    if (title === '' || year < fromYear || gross === 0n || budget === 0n) continue;
    const named = film.get('Major Genre');
    const genre = typeof named === 'string' ? named : 'Not named';
    const rating = film.get('IMDB Rating');
    const before = genres.get(genre);
    const bigger = !before || gross > before.biggestGross;
    genres.set(genre, {
      genre,
      films: (before?.films ?? 0) + 1,
      grossUsd: (before?.grossUsd ?? 0n) + gross,
      budgetUsd: (before?.budgetUsd ?? 0n) + budget,
      imdbHundredths: (before?.imdbHundredths ?? 0n) + (typeof rating === 'number' ? BigInt(Math.round(rating * 100)) : 0n),
      rated: (before?.rated ?? 0) + (typeof rating === 'number' ? 1 : 0),
      biggestFilm: bigger ? title : before.biggestFilm,
      biggestGross: bigger ? gross : before.biggestGross,
    });
  }
  return genres;
}

function titleOf(raw: unknown): string {
  if (typeof raw !== 'string' && typeof raw !== 'number') return '';
  const words = `${raw}`.split(' ').filter((word) => word !== '');
  return Array.from(words.join(' '), (letter) => rightLetters[letter] ?? letter).join('');
}

/** The table ends in 2011: what is later was meant a century earlier. */
function yearOf(date: string): number {
  const year = Number(date.slice(-4));
  if (!Number.isInteger(year)) return 0;
  return year > 2011 ? year - 100 : year;
}

function dollars(raw: unknown): bigint {
  return typeof raw === 'number' && raw > 0 ? BigInt(raw) : 0n;
}
