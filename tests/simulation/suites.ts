import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Violation } from './checker/violation.ts';
import { RULES, isRule, type Rule } from './database/rules.ts';
import { settingsOf } from './world/settings.ts';
import { simulate, type WorldPlain } from './world/world.ts';

/** Beyond, a rule counts as one that no seed notices: seeds as they are, then crowded worlds, where limits are contended. */
const SEARCH_MAX = 1_000;
const SEARCH_CROWDED_MAX = 500;

const regressions = z.array(z.object({ seed: z.int(), found: z.string() })).parse(read('regressions.json'));
const biteSeed = z.strictObject({ seed: z.int(), crowded: z.boolean() });
const bites = z.record(z.string(), biteSeed).parse(read('bites.json'));

/** Seeds that once broke an invariant, in crowded worlds. */
export const regressionSeeds: readonly number[] = regressions.map(({ seed }) => seed);

/** Each rule with a seed that is known to notice its absence. */
export const biteSeeds: readonly (readonly [Rule, BiteSeed])[] = Object.keys(RULES)
  .filter(isRule)
  .map((rule) => [rule, bites[rule] ?? { seed: 1, crowded: false }]);

/** A world by its seed. */
export type BiteSeed = z.infer<typeof biteSeed>;

/** A seed in which the absence of a rule is noticed, and what the checker says. */
export interface Bite {
  readonly world: BiteSeed;
  readonly noticed: Violation;
}

/**
 * The seed that is known to notice a rule's absence, or else the first one: every change of the code changes what happens in a seed. Null when no
 * seed up to the bound notices it.
 */
export async function biteOf(rule: Rule, known: BiteSeed, plain: WorldPlain): Promise<Bite | null> {
  const seeds = (count: number, crowded: boolean): BiteSeed[] => Array.from({ length: count }, (_, at) => ({ seed: at + 1, crowded }));
  for (const world of [known, ...seeds(SEARCH_MAX, false), ...seeds(SEARCH_CROWDED_MAX, true)]) {
    const noticed = await noticedIn(world, rule, plain);
    if (noticed) return { world, noticed };
  }
  return null;
}

/** Null as well when the seed is not sound with the rule either. */
async function noticedIn({ seed, crowded }: BiteSeed, rule: Rule, plain: WorldPlain): Promise<Violation | null> {
  const { violations } = await simulate(settingsOf(seed, new Set([rule]), crowded), plain);
  const [noticed] = violations;
  if (!noticed) return null;
  const whole = await simulate(settingsOf(seed, new Set(), crowded), plain);
  return whole.violations.length === 0 ? noticed : null;
}

function read(file: string): unknown {
  return JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8'));
}
