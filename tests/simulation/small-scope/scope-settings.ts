import type { Plan } from '#core';

/** What a small scope holds, and how much may go wrong on one path. */
export interface ScopeSettings {
  readonly name: string;
  readonly plan: Plan;
  readonly runs: number;
  readonly limit: number | null;
  readonly crashes: number;
  readonly wipes: number;
  readonly doubles: number;
  readonly cuts: number;
  readonly stalls: number;
  /** Times that the database fails over to a copy that lacks the newest moves, under a raised epoch. */
  readonly failovers: number;
  /** Times that the clock may move on although something else could happen. */
  readonly haste: number;
}

/** One thing that could happen next. */
export interface Choice {
  readonly label: string;
  readonly run: () => Promise<void>;
}
