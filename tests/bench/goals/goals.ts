import type { Goal } from './criterion.ts';
import { ENGINE_GOALS } from './engine-goals.ts';
import { LATENCY_GOALS } from './latency-goals.ts';
import { RUN_GOALS } from './run-goals.ts';
import { SUBMIT_GOALS } from './submit-goals.ts';
import { GROWTH_GOALS, SOAK_GOALS } from './time-goals.ts';

/** The goals of docs/performance.md that this bench can judge, in the order of their numbers. */
export const GOALS: readonly Goal[] = [
  ...[...SUBMIT_GOALS, ...RUN_GOALS, ...LATENCY_GOALS],
  ...[...ENGINE_GOALS, ...GROWTH_GOALS, ...SOAK_GOALS],
].toSorted((one, other) => Number(one.id.slice(1)) - Number(other.id.slice(1)));
