import { tellBite, tellExploration, tellSummary, tellViolation } from './report.ts';
import { explore } from './small-scope/explore.ts';
import { SCOPES } from './small-scope/scopes.ts';
import { biteOf, biteSeeds, regressionSeeds } from './suites.ts';
import { settingsOf } from './world/settings.ts';
import { simulate, type WorldPlain, type WorldResult } from './world/world.ts';

/** Seeds of each kind. Bounded for pipelines: three minutes on two idle cores are the aim. */
const FIXED_SEEDS = 500;
const FRESH_SEEDS = 500;
const TWICE_SEEDS = 25;
const STATES_OF_SCOPE = 700;

const NONE = new Set<never>();

/** Something of every suite, quickly. Prints a line for each and the tally as the last one; returns the exit code. */
export async function prove(plain: WorldPlain): Promise<number> {
  const tally = { passed: 0, failed: 0 };
  const count = (holds: boolean): void => void (holds ? (tally.passed += 1) : (tally.failed += 1));
  for (const [rule, known] of biteSeeds) {
    const bitten = await biteOf(rule, known, plain);
    count(bitten !== null);
    tellBite(rule, bitten);
  }
  for (const scope of SCOPES) {
    const started = performance.now();
    const exploration = await explore(scope, NONE, plain, STATES_OF_SCOPE);
    tellExploration(scope, exploration, (performance.now() - started) / 1000);
    count(exploration.violation === null);
  }
  for (let seed = 1; seed <= TWICE_SEEDS; seed += 1) {
    const [one, other] = [await simulate(settingsOf(seed), plain), await simulate(settingsOf(seed), plain)];
    if (one.historyHash !== other.historyHash) console.log(`✗ seed ${seed} had two histories`);
    count(one.historyHash === other.historyHash);
  }
  // Outside of every world the clock is the real one.
  const fresh = Date.now() % 1_000_000_000;
  console.log(`fresh seeds from ${fresh} on`);
  const seeds = (start: number, length: number) => Array.from({ length }, (_, at) => start + at);
  const started = performance.now();
  const results = [
    ...(await runAll(regressionSeeds, true, plain)),
    ...(await runAll([...seeds(1, FIXED_SEEDS), ...seeds(fresh, FRESH_SEEDS)], false, plain)),
  ];
  for (const { violations } of results) count(violations.length === 0);
  tellSummary(results, (performance.now() - started) / 1000);
  console.log(`${tally.passed} passed, ${tally.failed} failed`);
  return tally.failed === 0 ? 0 : 1;
}

async function runAll(seeds: readonly number[], crowded: boolean, plain: WorldPlain): Promise<WorldResult[]> {
  const results: WorldResult[] = [];
  for (const seed of seeds) {
    const result = await simulate(settingsOf(seed, NONE, crowded), plain);
    if (result.violations.length > 0) tellViolation(result, NONE, crowded);
    results.push(result);
  }
  return results;
}
