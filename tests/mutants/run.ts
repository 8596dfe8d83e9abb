/**
 * `npm run mutants [-- --only no-fence --suites unit,sim --all --json --markdown docs/mutants.md]`: plants each bug of `mutants.mjs` in turn and
 * runs the suites that may notice it, from cheap to dear, until one does; with `--all`, every one. First the same suites must pass without a
 * mutant. Exit code 0 only when every mutant was noticed. docs/proof.md.
 */
import { writeFileSync } from 'node:fs';
import { Databases } from './databases.ts';
import type { Mutant } from './mutants.mjs';
import { optionsOf, type Options, type SuiteName } from './options.ts';
import { countsOf, isNoticed, jsonOf, lineOf, tableOf, type Verdict } from './report.ts';
import { baselineOf, runsOf } from './suites.ts';
import { runSuite, type Outcome } from './trial.ts';

const options = optionsOf(process.argv.slice(2));
// With --json, stdout belongs to the result.
const say = options.json ? console.error : console.log;
if (options.list) for (const { name, rule } of options.mutants) console.log(`${name.padEnd(34)} ${rule}`);
else process.exitCode = await run(options);

async function run({ mutants, suites, json, markdown }: Options): Promise<number> {
  const began = performance.now();
  const databases = suites.includes('integration') || suites.includes('e2e') ? await Databases.start() : null;
  try {
    if (!(await isSound(databases))) return 1;
    const verdicts: Verdict[] = [];
    for (const mutant of mutants) {
      const verdict = { mutant, outcomes: await tryOn(mutant, databases) };
      verdicts.push(verdict);
      say(lineOf(verdict));
    }
    if (markdown) writeFileSync(markdown, tableOf(verdicts, suites));
    if (json) console.log(jsonOf(verdicts));
    const noticed = verdicts.filter(isNoticed).length;
    say(`\nNoticed by: ${countsOf(verdicts, suites)}; ${Math.round((performance.now() - began) / 1000)} s`);
    say(`${noticed} passed, ${verdicts.length - noticed} failed`);
    return noticed === verdicts.length ? 0 : 1;
  } finally {
    await databases?.stop();
  }
}

/** A failure with a mutant says nothing when the suite fails without one. */
async function isSound(databases: Databases | null): Promise<boolean> {
  let sound = true;
  for (const suite of options.suites) {
    for (const part of baselineOf(suite, options.mutants)) {
      const env = databases?.envFor(null) ?? {};
      const first = await runSuite(part, null, env);
      // Once more: on a machine that is short of breath a test may miss its time.
      const outcome = first.kind === 'passed' ? first : await runSuite(part, null, env);
      sound &&= outcome.kind === 'passed';
      const told = outcome.kind === 'passed' ? 'passes without a mutant' : `does not even pass without a mutant: ${outcome.how}`;
      say(`${outcome.kind === 'passed' ? '✓' : '✗'} ${suite} ${told} (${outcome.seconds.toFixed(1)} s)`);
    }
  }
  await databases?.tidy();
  return sound;
}

async function tryOn(mutant: Mutant, databases: Databases | null): Promise<Map<SuiteName, Outcome>> {
  const outcomes = new Map<SuiteName, Outcome>();
  // The one that is known to notice it goes first: the others are asked when it no longer does, or with --all.
  for (const suite of options.suites.toSorted((one, other) => Number(other === mutant.by) - Number(one === mutant.by))) {
    for (const part of runsOf(suite, mutant)) {
      const outcome = await runSuite(part, mutant.name, databases?.envFor(mutant) ?? {});
      outcomes.set(suite, outcome);
      if (outcome.kind !== 'passed' && databases) await databases.tidy();
      if (outcome.kind === 'noticed' && !options.all) return outcomes;
    }
  }
  return outcomes;
}
