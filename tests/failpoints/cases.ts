import { POINTS, type Point } from './points.ts';
import { ACTIONS, type Action } from './trap.ts';

/** One strike at one point under one seed. */
export interface Case {
  readonly point: Point;
  readonly action: Action;
  readonly hit: 1 | 2;
  readonly seed: number;
}

export interface CaseFilter {
  readonly seeds: readonly number[];
  /** Names of points; none: all. */
  readonly only: readonly string[];
  /** None: all. */
  readonly actions: readonly string[];
  readonly hits: readonly (1 | 2)[];
}

/** Every point × action × hit × seed, in the order of the points: what one point needs is raised once. */
export function casesOf({ seeds, only, actions, hits }: CaseFilter): Case[] {
  const points = POINTS.filter(({ name }) => only.length === 0 || only.includes(name));
  const wanted = ACTIONS.filter((action) => actions.length === 0 || actions.includes(action));
  return points.flatMap((point) =>
    wanted.flatMap((action) => hits.flatMap((hit) => seeds.map((seed): Case => ({ point, action, hit, seed })))),
  );
}

export function nameOf({ point, action, hit, seed }: Case): string {
  return `${point.name}@${hit}=${action} seed ${seed}`;
}
