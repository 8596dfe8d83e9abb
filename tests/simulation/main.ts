import { parseArgs } from 'node:util';
import { createEvaluator } from '#definitions';
import { createLogger, createMetrics } from '#telemetry';
import { isRule, type Rule } from './database/rules.ts';
import { explore } from './small-scope/explore.ts';
import { SCOPES } from './small-scope/scopes.ts';
import { currentKernel } from './virtual/kernel.ts';
import { settingsOf } from './world/settings.ts';
import { simulate, type WorldPlain, type WorldResult } from './world/world.ts';

/** Returns the exit code: 0 when no seed broke an invariant. */
export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      seeds: { type: 'string', default: '1000' },
      start: { type: 'string', default: '1' },
      replay: { type: 'string' },
      trace: { type: 'boolean', default: false },
      without: { type: 'string', multiple: true, default: [] },
      exhaustive: { type: 'boolean', default: false },
      states: { type: 'string', default: '60000' },
    },
  });
  const broken = new Set<Rule>(values.without.filter(isRule));
  process.on('unhandledRejection', (reason) => {
    currentKernel()?.failures.push(`unhandled rejection: ${reason instanceof Error ? reason.stack : String(reason)}`);
  });
  const plain = await plainParts(values.trace);
  if (values.exhaustive) return exhaust(broken, plain, Number(values.states));
  const started = performance.now();
  const results: WorldResult[] = [];
  const first = Number(values.replay ?? values.start);
  const count = values.replay === undefined ? Number(values.seeds) : 1;
  for (let seed = first; seed < first + count; seed += 1) {
    const result = await simulate(settingsOf(seed, broken), plain, values.trace ? (line) => console.log(line) : null);
    results.push(result);
    if (result.violations.length > 0) tellViolation(result, values.without);
  }
  summary(results, (performance.now() - started) / 1000);
  return results.some(({ violations }) => violations.length > 0) ? 1 : 0;
}

/** Tries every order in each small scope. */
async function exhaust(broken: ReadonlySet<Rule>, plain: WorldPlain, statesMax: number): Promise<number> {
  let total = 0;
  for (const scope of SCOPES) {
    const started = performance.now();
    const { states, executions, steps, rests, isComplete, violation } = await explore(scope, broken, plain, statesMax);
    total += states;
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(
      `${scope.name}: ${states} states${isComplete ? '' : ' (bounded)'}, ${executions} ways, ${steps} steps, ${rests} rests, ${seconds} s`,
    );
    if (!violation) continue;
    console.log(`  broken: ${violation.what}`);
    for (const label of violation.way) console.log(`    ${label}`);
    return 1;
  }
  console.log(`${total} states, 0 violations`);
  return 0;
}

async function plainParts(traces: boolean): Promise<WorldPlain> {
  const level = traces ? 'info' : 'silent';
  const logger = await createLogger({
    service: 'simulation',
    level,
    destination: { write: (line) => currentKernel()?.tell(() => line.trim()) },
  });
  return { logger, metrics: createMetrics('simulation'), evaluator: createEvaluator() };
}

function tellViolation({ seed, violations }: WorldResult, without: readonly string[]): void {
  const [first] = violations;
  console.log(`seed ${seed}: ${first?.invariant} ${first?.what}${violations.length > 1 ? ` (and ${violations.length - 1} more)` : ''}`);
  const rest = without.map((rule) => ` --without '${rule}'`).join('');
  console.log(`  again: npm run sim -- --replay ${seed} --trace${rest}`);
}

function summary(results: readonly WorldResult[], seconds: number): void {
  const sum = (of: (result: WorldResult) => number) => results.reduce((total, result) => total + of(result), 0);
  const total = (of: (result: WorldResult) => ReadonlyMap<string, number>) => {
    const counts = new Map<string, number>();
    for (const result of results) for (const [kind, times] of of(result)) counts.set(kind, (counts.get(kind) ?? 0) + times);
    return [...counts]
      .toSorted(([one], [other]) => one.localeCompare(other))
      .map(([kind, times]) => `${kind} ${times}`)
      .join(', ');
  };
  const bad = results.filter(({ violations }) => violations.length > 0);
  const simulated = sum(({ simulatedMs }) => simulatedMs) / 1000;
  console.log(
    `${results.length} seeds in ${seconds.toFixed(1)} s (${(results.length / seconds).toFixed(1)} seeds/s), ${bad.length} with a violation`,
  );
  console.log(
    `${(simulated / 3600).toFixed(2)} simulated hours (${Math.round(simulated / seconds)} times real time), ${sum(({ events }) => events)} events`,
  );
  console.log(
    `${sum(({ runs }) => runs)} runs, ${sum(({ moves }) => moves)} audited moves, ${sum(({ effects }) => effects)} effects asked for ${sum(({ asks }) => asks)} times`,
  );
  console.log(`runs ended: ${total(({ ends }) => ends)}`);
  console.log(`faults: ${total(({ faults }) => faults)}`);
  const settled = results.map(({ settledInMs }) => settledInMs).toSorted((one, other) => one - other);
  const silences = results.map(({ longestSilenceMs }) => longestSilenceMs).toSorted((one, other) => one - other);
  console.log(
    `longest silence: p50 ${silences[silences.length >> 1]} p90 ${silences[Math.floor(silences.length * 0.9)]} p99 ${silences[Math.floor(silences.length * 0.99)]} max ${silences.at(-1)} seed ${results.find((r) => r.longestSilenceMs === silences.at(-1))?.seed}`,
  );
  console.log(
    `at rest after the last fault: median ${Math.round(settled[Math.floor(settled.length / 2)] ?? 0)} ms, longest ${Math.round(settled.at(-1) ?? 0)} ms`,
  );
}
