import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { SEED_MAX } from './options.ts';

const entry = fileURLToPath(new URL('chaos.ts', import.meta.url));

/** The two that every build runs. */
const FIXED_SEEDS = [1, 2] as const;

/** A seed that once failed, with all that its schedule hangs on, and what was found. */
const Regressions = z.array(
  z.object({ seed: z.int(), minutes: z.number().positive(), args: z.array(z.string()), found: z.string(), mendedBy: z.string() }),
);

/** Two fixed seeds and a fresh one, each so many minutes of faults. Returns the exit code. */
export async function runCi(minutes: number): Promise<number> {
  const seeds = [...FIXED_SEEDS, randomInt(1, SEED_MAX)];
  console.log(`Seeds ${seeds.join(', ')}: the last one is fresh.`);
  return await runAll(seeds.map((seed) => ['--seed', `${seed}`, '--minutes', `${minutes}`, '--quick', '--busy']));
}

/** Every seed of `regressions.json`. Returns the exit code. */
export async function runRegressions(): Promise<number> {
  const regressions = Regressions.parse(JSON.parse(readFileSync(new URL('regressions.json', import.meta.url), 'utf8')));
  for (const { seed, found } of regressions) console.log(`Seed ${seed}: ${found}`);
  return await runAll(regressions.map(({ seed, minutes, args }) => ['--seed', `${seed}`, '--minutes', `${minutes}`, ...args]));
}

/** One after the other, each in a process of its own, so that none inherits anything of another. */
async function runAll(runs: readonly (readonly string[])[]): Promise<number> {
  let failed = 0;
  for (const args of runs) {
    console.log(`npm run chaos -- ${args.join(' ')}`);
    if ((await runOne(args)) !== 0) failed += 1;
  }
  console.log(`${runs.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

function runOne(args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [...process.execArgv, entry, ...args], { stdio: 'inherit' });
  const pass = (signal: NodeJS.Signals) => child.kill(signal);
  process.on('SIGTERM', pass);
  return new Promise((resolve) => {
    child.once('error', () => resolve(1));
    child.once('exit', (code) => {
      process.off('SIGTERM', pass);
      resolve(code ?? 1);
    });
  });
}
