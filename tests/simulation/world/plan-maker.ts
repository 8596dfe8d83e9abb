import type { Json, Plan } from '#core';
import { aPlan, type GivenStep } from '../../../libs/testing/src/given/plan.ts';
import { SCRIPTED, type StepScript } from '../actors/simulated-steps.ts';
import type { Random } from '../virtual/random.ts';

const STEPS_MAX = 6;

/** A random workflow: chains, forks, joins, conditions, retries, delays, steps that fail, hang, or end their own process. */
export function randomPlan(random: Random, poison: boolean): Plan {
  const count = random.int(1, STEPS_MAX);
  const steps: Record<string, GivenStep> = {};
  for (let at = 0; at < count; at += 1) steps[`s${at + 1}`] = randomStep(random, at, poison);
  const runTimeoutSeconds = random.chance(0.08) ? random.between(1, 6) : null;
  const concurrency = random.chance(0.15) ? { key: null, limit: random.int(1, 2) } : null;
  return aPlan(steps, { runTimeoutSeconds, concurrency, priority: random.chance(0.2) ? random.int(-5, 5) : 0 });
}

function randomStep(random: Random, at: number, poison: boolean): GivenStep {
  const needs = needsOf(random, at);
  const rest: GivenStep = { needs, ...conditionOf(random, needs) };
  const dice = random.next();
  if (dice < 0.1) return { ...rest, uses: 'delay', input: { duration: `${random.int(1, 1_500)}ms` } };
  if (dice < 0.25) return { ...rest, uses: 'noop', input: {} };
  if (dice < 0.27) return { ...rest, uses: 'sim/unknown', input: {} };
  const hangs = random.chance(0.03);
  const kills = poison && random.chance(0.06);
  const isSlow = kills ? random.chance(0.9) : random.chance(0.08);
  const script: StepScript = {
    ms: isSlow ? random.between(200, 1_200) : random.between(1, 100),
    fails: random.chance(0.2) ? random.int(1, 4) : 0,
    retryable: random.chance(0.85),
    hangs,
    dies: random.chance(0.03) ? random.int(1, 3) : 0,
    kills,
    deaf: random.chance(0.2),
  };
  const [read] = needs;
  const reads = read !== undefined && random.chance(0.25);
  const input: Json = { ...script, ...(reads ? { saw: `\${{ steps.${read}.output.n }}` } : {}) };
  const retry = { attempts: random.int(1, 3), backoffMs: random.int(30, 600), jitter: random.pick([0, 0.2]) };
  const timeoutSeconds = hangs || random.chance(0.1) ? random.between(0.3, 1) : 30;
  return { ...rest, uses: SCRIPTED, input, retry, timeoutSeconds, ...(reads ? { inputReads: [read] } : {}) };
}

function needsOf(random: Random, at: number): string[] {
  if (at === 0 || random.chance(0.15)) return [];
  const count = random.chance(0.3) ? random.int(2, 3) : 1;
  return [...new Set(Array.from({ length: count }, () => `s${random.int(random.chance(0.5) ? 1 : at, at)}`))].toSorted();
}

function conditionOf(random: Random, needs: readonly string[]): Partial<GivenStep> {
  const [read] = needs;
  if (read === undefined || random.chance(0.75)) return {};
  if (random.chance(0.4)) return { condition: 'reads failed', conditionSource: random.pick(['failed', '!failed']) };
  const source = random.pick([`steps.${read}.state == "SUCCEEDED"`, `steps.${read}.output.n > 1`, 'input.even']);
  return { condition: 'plain', conditionSource: source, conditionReads: source.startsWith('steps') ? [read] : [] };
}
