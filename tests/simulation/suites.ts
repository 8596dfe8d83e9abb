import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Violation } from './checker/violation.ts';
import { RULES, isRule, type Rule } from './database/rules.ts';
import { settingsOf } from './world/settings.ts';
import { simulate, type WorldPlain } from './world/world.ts';

/** Beyond, a rule counts as one that no seed notices. */
const SEARCH_MAX = 3_000;

const regressions = z.array(z.object({ seed: z.int(), found: z.string() })).parse(read('regressions.json'));
const bites = z.record(z.string(), z.int()).parse(read('bites.json'));

/** Seeds that once broke an invariant, in crowded worlds. */
export const regressionSeeds: readonly number[] = regressions.map(({ seed }) => seed);

/** Each rule with a seed in which its absence is noticed. */
export const biteSeeds: readonly (readonly [Rule, number])[] = Object.entries(bites).flatMap(([rule, seed]): [Rule, number][] =>
  isRule(rule) ? [[rule, seed]] : [],
);

/** What the checker says of a seed without a rule. Null: nothing, or the seed is not sound with the rule either. */
export async function isBitten(rule: Rule, seed: number, plain: WorldPlain): Promise<Violation | null> {
  const { violations } = await simulate(settingsOf(seed, new Set([rule])), plain);
  const [noticed] = violations;
  if (!noticed) return null;
  const whole = await simulate(settingsOf(seed), plain);
  return whole.violations.length === 0 ? noticed : null;
}

/** Looks for the first seed that notices each rule's absence; the output is the content of `bites.json`. */
export async function findBites(plain: WorldPlain): Promise<number> {
  const found: Record<string, number> = {};
  for (const rule of Object.keys(RULES).filter(isRule)) {
    for (let seed = 1; seed <= SEARCH_MAX && found[rule] === undefined; seed += 1) {
      if ((await isBitten(rule, seed, plain)) !== null) found[rule] = seed;
    }
  }
  console.log(JSON.stringify(found, null, 2));
  return Object.keys(found).length === Object.keys(RULES).length ? 0 : 1;
}

function read(file: string): unknown {
  return JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8'));
}
