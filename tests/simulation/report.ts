import type { Rule } from './database/rules.ts';
import type { Exploration } from './small-scope/explore.ts';
import type { ScopeSettings } from './small-scope/scope-settings.ts';
import type { Bite } from './suites.ts';
import type { WorldResult } from './world/world.ts';

export function tellViolation({ seed, violations }: WorldResult, without: ReadonlySet<Rule>, crowded: boolean): void {
  const [first] = violations;
  console.log(`seed ${seed}: ${first?.invariant} ${first?.what}${violations.length > 1 ? ` (and ${violations.length - 1} more)` : ''}`);
  const rest = [...without].map((rule) => ` --without '${rule}'`).join('') + (crowded ? ' --crowded' : '');
  console.log(`  again: npm run sim -- --replay ${seed} --trace${rest}`);
}

export function tellBite(rule: Rule, bite: Bite | null): void {
  const seen = bite
    ? `noticed in ${bite.world.crowded ? 'crowded ' : ''}seed ${bite.world.seed}: ${bite.noticed.invariant} ${bite.noticed.what}`
    : 'not noticed';
  console.log(`${bite ? '✓' : '✗'} without '${rule}': ${seen}`);
}

export function tellExploration(
  { name }: ScopeSettings,
  { states, executions, steps, rests, isComplete, violation }: Exploration,
  seconds: number,
): void {
  const how = `${executions} ways, ${steps} steps, ${rests} rests, ${seconds.toFixed(1)} s`;
  console.log(`${violation ? '✗' : '✓'} ${name}: ${states} states${isComplete ? ', all there are' : ''}, ${how}`);
  if (!violation) return;
  console.log(`  broken: ${violation.what}`);
  for (const label of violation.way) console.log(`    ${label}`);
}

export function tellSummary(results: readonly WorldResult[], seconds: number): void {
  const sum = (of: (result: WorldResult) => number) => results.reduce((total, result) => total + of(result), 0);
  const bad = results.filter(({ violations }) => violations.length > 0).length;
  const simulated = sum(({ simulatedMs }) => simulatedMs) / 1000;
  const many = (count: number) => count.toLocaleString('en');
  console.log(
    `${many(results.length)} seeds in ${seconds.toFixed(1)} s (${(results.length / seconds).toFixed(1)} seeds/s; ${(results.length / processorSeconds()).toFixed(1)} per second of the processor), ${bad} with a violation`,
  );
  console.log(
    `${(simulated / 3600).toFixed(1)} simulated hours (${Math.round(simulated / seconds)} times real time), ${many(sum(({ events }) => events))} events`,
  );
  console.log(
    `${many(sum(({ runs }) => runs))} runs, ${many(sum(({ moves }) => moves))} audited moves, ${many(sum(({ effects }) => effects))} effects asked for ${many(sum(({ asks }) => asks))} times`,
  );
  console.log(`runs ended: ${totals(results.map(({ ends }) => ends))}`);
  console.log(`faults: ${totals(results.map(({ faults }) => faults))}`);
  const silences = results.map(({ longestSilenceMs }) => longestSilenceMs).toSorted((one, other) => one - other);
  const at = (share: number) => Math.round(silences[Math.min(silences.length - 1, Math.floor(silences.length * share))] ?? 0);
  console.log(`longest time without a move after the last fault: median ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms`);
  if (results.length === 1) console.log(`history ${results[0]?.historyHash}`);
}

/** Of this process so far: what the seeds cost, whatever else the machine does. */
function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000_000;
}

function totals(of: readonly ReadonlyMap<string, number>[]): string {
  const counts = new Map<string, number>();
  for (const each of of) for (const [kind, times] of each) counts.set(kind, (counts.get(kind) ?? 0) + times);
  return [...counts]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([kind, times]) => `${kind} ${times.toLocaleString('en')}`)
    .join(', ');
}
