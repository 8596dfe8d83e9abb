/**
 * `npm run mutants [-- --only no-fence --suites unit,sim --all --json --markdown docs/mutants.md]`: plants each bug of `mutants.mjs` in turn and
 * runs the suites that may notice it, from cheap to dear, until one does; with `--all`, every one. Each of them must have passed without a mutant
 * before. Exit code 0 only when every mutant was noticed. docs/proof.md.
 */
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { Databases } from './databases.ts';
import { KeptOutcomes } from './kept-outcomes.ts';
import type { Mutant } from './mutants.mjs';
import { readOptions, type Options, type SuiteName } from './options.ts';
import { countsOf, isNoticed, jsonOf, lineOf, pageOf, type Verdict } from './report.ts';
import { Soundness } from './soundness.ts';
import { runOf, type SuiteRun } from './suites.ts';
import { runSuite, type Outcome } from './trial.ts';

const options = readOptions(process.argv.slice(2));
const kept = KeptOutcomes.open(options.keep);
// With --json, stdout belongs to the result.
const say = options.json ? console.error : console.log;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(1));
if (options.list) for (const { name, rule } of options.mutants) console.log(`${name.padEnd(34)} ${rule}`);
else process.exitCode = await run(options);

async function run({ mutants, suites, json, markdown }: Options): Promise<number> {
  const began = performance.now();
  const databases = suites.includes('integration') || suites.includes('e2e') ? await Databases.start() : null;
  try {
    const soundness = new Soundness(databases?.envFor(null) ?? {});
    const verdicts: Verdict[] = [];
    for (const mutant of mutants) {
      const verdict = { mutant, outcomes: await tryOn(mutant, databases, soundness) };
      verdicts.push(verdict);
      say(lineOf(verdict));
    }
    if (markdown) writeFileSync(markdown, pageOf(verdicts, suites, here()));
    if (json) console.log(jsonOf(verdicts));
    const noticed = verdicts.filter(isNoticed).length;
    say(`\nNoticed by: ${countsOf(verdicts, suites)}; ${Math.round((performance.now() - began) / 1000)} s`);
    say(`${noticed} passed, ${verdicts.length - noticed} failed`);
    return noticed === verdicts.length ? 0 : 1;
  } finally {
    await databases?.stop();
  }
}

async function tryOn(mutant: Mutant, databases: Databases | null, soundness: Soundness): Promise<Map<SuiteName, Outcome>> {
  const outcomes = new Map<SuiteName, Outcome>();
  // The one that is known to notice it goes first: the others are asked when it no longer does, or with --all.
  for (const suite of options.suites.toSorted((one, other) => Number(other === mutant.by) - Number(one === mutant.by))) {
    const part = runOf(suite, mutant);
    if (!part) continue;
    const outcome = kept.find(mutant.name, suite) ?? (await tryPart(part, mutant, databases, soundness));
    outcomes.set(suite, outcome);
    kept.add(mutant.name, suite, outcome);
    if (outcome.kind === 'noticed' && !options.all) break;
  }
  return outcomes;
}

async function tryPart(part: SuiteRun, mutant: Mutant, databases: Databases | null, soundness: Soundness): Promise<Outcome> {
  const outcome = (await soundness.faultOf(part)) ?? (await runSuite(part, mutant.name, databases?.envFor(mutant) ?? {}));
  if (outcome.kind !== 'passed') await databases?.tidy();
  return outcome;
}

/** The machine and the day. */
function here(): string {
  const day = new Date().toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric' });
  return `on ${cpus().length} cores (load ${loadavg()[0]?.toFixed(0)}), Node ${process.versions.node}, ${day}`;
}
