import { spawn } from 'node:child_process';
import { availableParallelism, loadavg } from 'node:os';
import { project, projectNode } from '../../tools/lib/project.mjs';
import type { SuiteRun } from './suites.ts';

/** `noticed`: it failed, and how; `passed`; `broken`: it did not run at all, which says nothing about the mutant. */
export type Outcome = (
  | { readonly kind: 'noticed'; readonly how: string }
  | { readonly kind: 'passed' }
  | { readonly kind: 'broken'; readonly how: string }
) & {
  readonly seconds: number;
};

/** What the planting says of a mutant that no longer fits its file. */
const MISFIT = /Mutant .+: its text occurs \d+ times.*/;
const OUTPUT_MAX = 200_000;

/**
 * Runs a part of a suite, with a mutant planted unless that is null, and ends it at its first failure. What its tests have started goes with it:
 * every server and process under test is watched over.
 */
export async function runSuite({ args, failure, secondsMax }: SuiteRun, mutant: string | null, env: NodeJS.ProcessEnv): Promise<Outcome> {
  const began = performance.now();
  const planted = mutant === null ? {} : { FLOWFORGE_MUTANT: mutant };
  // A group of its own: jest's own Node is a child of the script that starts it.
  const child = spawn(projectNode, [...args], { cwd: project, env: { ...process.env, ...env, ...planted }, detached: true });
  const end = () => child.pid !== undefined && child.exitCode === null && process.kill(-child.pid, 'SIGKILL');
  process.once('exit', end);
  let output = '';
  let isLate = false;
  // Where many share the machine, everything takes its time.
  const limitSeconds = secondsMax * Math.max(1, (loadavg()[0] ?? 0) / availableParallelism());
  const limit = setTimeout(() => {
    isLate = true;
    end();
  }, limitSeconds * 1000);
  const hear = (chunk: Buffer) => {
    output = (output + chunk.toString('utf8')).slice(-OUTPUT_MAX);
    // A whole line: what is told may come in pieces.
    if (failure.test(output.slice(0, output.lastIndexOf('\n') + 1))) end();
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const code = await new Promise<number>((resolve) => child.once('close', (exitCode) => resolve(exitCode ?? 137)));
  clearTimeout(limit);
  process.off('exit', end);
  return { ...outcomeOf(code, output, failure, isLate ? Math.round(limitSeconds) : null), seconds: (performance.now() - began) / 1000 };
}

function outcomeOf(code: number, output: string, failure: RegExp, lateSeconds: number | null) {
  const misfit = MISFIT.exec(output)?.[0];
  if (misfit) return { kind: 'broken' as const, how: misfit };
  const told = failure.exec(output)?.[0];
  if (told !== undefined) return { kind: 'noticed' as const, how: told.replace(/^FAILED |^ *broken: /, '') };
  if (lateSeconds !== null) return { kind: 'noticed' as const, how: `hung: not done within ${lateSeconds} s` };
  if (code === 0) return { kind: 'passed' as const };
  return { kind: 'broken' as const, how: `ended with ${code}: ${output.trim().split('\n').slice(-5).join(' / ')}` };
}
