import { parseArgs } from 'node:util';
import { createEvaluator } from '#definitions';
import { createLogger } from '#telemetry';
import { noMetrics } from './actors/no-metrics.ts';
import { RULES, isRule, type Rule } from './database/rules.ts';
import { prove } from './prove.ts';
import { tellBite, tellExploration, tellSummary, tellViolation } from './report.ts';
import { explore } from './small-scope/explore.ts';
import { SCOPES } from './small-scope/scopes.ts';
import { type BiteSeed, biteOf, biteSeeds, regressionSeeds } from './suites.ts';
import { currentKernel } from './virtual/kernel.ts';
import { settingsOf } from './world/settings.ts';
import { simulate, type WorldPlain, type WorldResult } from './world/world.ts';

const options = {
  seeds: { type: 'string', default: '1000' },
  start: { type: 'string', default: '1' },
  replay: { type: 'string' },
  trace: { type: 'boolean', default: false },
  /** Leaves a rule of the protocol out. */
  without: { type: 'string', multiple: true },
  /** All worlds are crowded. */
  crowded: { type: 'boolean', default: false },
  /** Each seed twice: its histories must be the same. */
  twice: { type: 'boolean', default: false },
  /** The seeds that once failed. */
  regressions: { type: 'boolean', default: false },
  /** Each rule is left out, in the seed that is known to notice it or the first that does. */
  bites: { type: 'boolean', default: false },
  exhaustive: { type: 'boolean', default: false },
  /** States of each small scope at the most. */
  states: { type: 'string', default: '15000' },
  /** A part of everything, as a tally. */
  prove: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** Long runs tell how far they are. */
const PROGRESS_MS = 30_000;

interface Manner {
  readonly broken: ReadonlySet<Rule>;
  readonly crowded: boolean;
  readonly traces: boolean;
  readonly twice: boolean;
}

const USAGE = `npm run sim -- [options]

Simulates the real services in worlds of their own, under a virtual clock and seeded faults, and judges every commit. Exit code 0: no violation.

  --seeds N            so many worlds (default 1000)
  --start N            from this seed on (default 1)
  --replay SEED        this one alone; --trace tells every event
  --without 'RULE'     leaves a rule of the protocol out; may be given several times
  --crowded            all worlds have many runs
  --twice              each seed twice: its histories must be the same
  --regressions        the seeds that once failed
  --bites              leaves each rule out, in the seed that notices it; prints tests/simulation/bites.json
  --exhaustive         every order in each small scope; --states N of each at the most (default 15000)
  --prove              a part of everything, as a tally
  --help               this text
`;

/** Returns the exit code: 0 when nothing broke an invariant; with `--bites`, when every rule that was left out was noticed. */
export async function main(args: string[]): Promise<number> {
  const values = readValues(args);
  if (!values || values.help) {
    (values ? console.log : console.error)(USAGE);
    return values ? 0 : 2;
  }
  const without = values.without ?? [];
  const unknown = without.filter((rule) => !isRule(rule));
  if (unknown.length > 0) {
    console.error(`There is no rule ${unknown.join(', ')}. Known: ${Object.keys(RULES).join(', ')}.`);
    return 2;
  }
  const broken = new Set(without.filter(isRule));
  process.on('unhandledRejection', (reason) => {
    currentKernel()?.failures.push(`unhandled rejection: ${reason instanceof Error ? (reason.stack ?? reason.message) : String(reason)}`);
  });
  const plain = await plainParts(values.trace);
  if (values.exhaustive) return exhaust(broken, plain, Number(values.states));
  if (values.bites) return bite(plain);
  if (values.prove) return prove(plain);
  const manner = { broken, crowded: values.crowded || values.regressions, traces: values.trace, twice: values.twice };
  if (values.regressions) return run(regressionSeeds, plain, manner);
  if (values.replay !== undefined) return run([Number(values.replay)], plain, manner);
  return run(
    Array.from({ length: Number(values.seeds) }, (_, at) => Number(values.start) + at),
    plain,
    manner,
  );
}

/** Null: the command line is wrong, which was told. */
function readValues(args: string[]) {
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    return null;
  }
}

async function run(seeds: readonly number[], plain: WorldPlain, { broken, crowded, traces, twice }: Manner): Promise<number> {
  const started = performance.now();
  const results: WorldResult[] = [];
  let failed = false;
  let toldAt = started;
  for (const seed of seeds) {
    const result = await simulate(settingsOf(seed, broken, crowded), plain, traces ? (line) => console.log(line) : null);
    results.push(result);
    if (result.violations.length > 0) tellViolation(result, broken, crowded);
    if (twice) {
      const again = await simulate(settingsOf(seed, broken, crowded), plain);
      if (again.historyHash !== result.historyHash)
        console.log(`seed ${seed} had two histories: ${result.historyHash}, ${again.historyHash}`);
      failed ||= again.historyHash !== result.historyHash;
    }
    failed ||= result.violations.length > 0;
    if (performance.now() - toldAt < PROGRESS_MS) continue;
    toldAt = performance.now();
    console.error(`… ${results.length} of ${seeds.length} seeds, the last one ${seed}`);
  }
  tellSummary(results, (performance.now() - started) / 1000);
  return failed ? 1 : 0;
}

/** Every rule that is left out must be noticed, and with it the same seed must be sound. The last lines are the content of `bites.json`. */
async function bite(plain: WorldPlain): Promise<number> {
  const seeds: Record<string, BiteSeed> = {};
  for (const [rule, known] of biteSeeds) {
    const bitten = await biteOf(rule, known, plain);
    if (bitten) seeds[rule] = bitten.world;
    tellBite(rule, bitten);
  }
  console.log(JSON.stringify(seeds, null, 2));
  return Object.keys(seeds).length === biteSeeds.length ? 0 : 1;
}

/** Tries every order in each small scope. */
async function exhaust(broken: ReadonlySet<Rule>, plain: WorldPlain, statesMax: number): Promise<number> {
  let total = 0;
  for (const scope of SCOPES) {
    const started = performance.now();
    const exploration = await explore(scope, broken, plain, statesMax);
    total += exploration.states;
    tellExploration(scope, exploration, (performance.now() - started) / 1000);
    if (exploration.violation) return 1;
  }
  console.log(`${total.toLocaleString('en')} states, 0 violations`);
  return 0;
}

async function plainParts(traces: boolean): Promise<WorldPlain> {
  // Errors are part of every world; whoever wants to see where they came from asks for the trace.
  if (!traces) Error.stackTraceLimit = 0;
  const level = traces ? 'info' : 'silent';
  const logger = await createLogger({
    service: 'simulation',
    level,
    destination: { write: (line) => currentKernel()?.tell(() => line.trim()) },
  });
  return { logger, metrics: noMetrics(), evaluator: createEvaluator() };
}
