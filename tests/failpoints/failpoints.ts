/**
 * `npm run proof:failpoints [-- --seeds 3 --only p10,p17 --action kill --hit 1 --json file]`: strikes an api, two schedulers and two workers at
 * every point of the protocol: killed, stopped beyond the lease, cut off, and with a statement executed whose answer is lost; at the first
 * and at the second arrival. `--zombies 500`: pauses processes that hold work instead. Exit code 0 only when everything passes.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { startRedis, stopTestCluster } from '#testing';
import { casesOf, nameOf, type Case } from './cases.ts';
import { readOptions, USAGE } from './options.ts';
import { NOT_YET } from './points.ts';
import { printTable } from './report.ts';
import { runCase, type CaseResult } from './run-case.ts';
import { Town } from './town.ts';
import { Trap } from './trap.ts';
import { haunt } from './zombies/haunt.ts';

const options = readOptions(process.argv.slice(2));
if (!options) {
  console.log(USAGE);
  process.exit(2);
}

if (options.zombies > 0) process.exit((await haunt(options)) ? 0 : 1);

const began = Date.now();
const cases = casesOf(options);
const results: CaseResult[] = options.resume ? passedBefore() : [];
const known = new Set(results.map(({ name }) => name));
const redis = await startRedis({ appendonly: true, own: true });
const trap = await Trap.make();
let town: { of: Town; point: string } | undefined;
try {
  for (const given of cases.filter((one) => !known.has(nameOf(one)))) {
    const result = await runCase((await raised(given)).of, trap, given);
    results.push(result);
    tell(result);
    keep();
    if (!result.passed) await leave();
  }
} finally {
  await leave();
  await redis.stop();
  await trap.remove();
  await stopTestCluster();
}

const failed = results.filter(({ passed }) => !passed);
printTable(results);
for (const [name, why] of Object.entries(NOT_YET)) console.log(`${name}: ${why}`);
for (const { name, faults } of failed) console.log(`✗ ${name}\n${faults.map((fault) => `    ${fault}`).join('\n')}`);
console.log(`${cases.length} cases in ${Math.round((Date.now() - began) / 1_000)} s, seeds ${options.seeds.join(', ')}`);
console.log(`${results.length - failed.length} passed, ${failed.length} failed`);
process.exit(failed.length > 0 || results.length === 0 ? 1 : 0);

/** Processes and database live on for all cases of a point; a case that failed takes them along. */
async function raised(given: Case): Promise<{ of: Town; point: string }> {
  if (town && town.point !== given.point.name) await leave();
  town ??= { of: await Town.found({ redis, failpoints: trap.folder }), point: given.point.name };
  return town;
}

async function leave(): Promise<void> {
  const left = town;
  town = undefined;
  await left?.of.close();
}

function passedBefore(): CaseResult[] {
  if (!options?.json || !existsSync(options.json)) return [];
  const { results: before } = JSON.parse(readFileSync(options.json, 'utf8')) as { results: CaseResult[] };
  const names = new Set(cases.map((one) => nameOf(one)));
  return before.filter(({ name, passed }) => passed && names.has(name));
}

function keep(): void {
  if (!options?.json) return;
  const seconds = Math.round((Date.now() - began) / 1_000);
  writeFileSync(options.json, JSON.stringify({ seconds, seeds: options.seeds, notYet: NOT_YET, results }, null, 2));
}

function tell({ name, passed, faults, struck, tookMs }: CaseResult): void {
  const place = `${String(results.length).padStart(4)}/${cases.length}`;
  console.log(`${place} ${passed ? '✓' : '✗'} ${name.padEnd(36)} ${struck.padEnd(12)} ${(tookMs / 1_000).toFixed(1)} s ${faults[0] ?? ''}`);
}
