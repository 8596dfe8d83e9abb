import type { Figure } from './figures.ts';

/** Hears of what is being measured, and of each figure. */
export interface Progress {
  begins(what: string): void;
  seen(figure: Figure): void;
}
