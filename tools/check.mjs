/**
 * The checks that need no running program: `npm run check` for all of them, or the named ones (`npm run check -- types lint`).
 * `--mend` lets those that can (lint, format) repair what they find.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { project, projectNode } from './lib/project.mjs';

const folders = ['services', 'libs', 'cli', 'sdk', 'templates', 'tests', 'tools'].filter((folder) => existsSync(join(project, folder)));
const modules = (path) => join(project, 'node_modules', path);

/** Each check: what it guards, and the command with and without mending. */
const checks = {
  types: { guards: 'TypeScript 7, strict', run: () => [modules('ts7/bin/tsc'), '-p', 'tsconfig.json'] },
  lint: {
    guards: 'oxlint with type information',
    run: (mend) => [modules('oxlint/bin/oxlint'), '--type-aware', '--deny-warnings', ...(mend ? ['--fix'] : []), ...folders],
  },
  layers: {
    guards: 'who may import whom, no cycles',
    run: () => [modules('dependency-cruiser/bin/dependency-cruiser.mjs'), '--config', '.dependency-cruiser.mjs', ...folders],
  },
  unused: { guards: 'files, exports and dependencies that nothing uses', run: () => [modules('knip/bin/knip.js'), '--no-progress'] },
  lock: { guards: 'package-lock.json installs on every platform', run: () => [join(project, 'tools/lock-stubs.mjs'), '--check'] },
  format: { guards: 'oxfmt', run: (mend) => [modules('oxfmt/bin/oxfmt'), mend ? '--write' : '--check', '.'] },
};

/** Runs the named checks, all when none is named, two at a time; answers each one's name, time and output. */
export async function runChecks(names = Object.keys(checks), { mend = false, onEnd = () => {} } = {}) {
  const queue = [...names];
  const results = [];
  const lane = async () => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      const result = await runCheck(name, mend);
      results.push(result);
      onEnd(result);
    }
  };
  await Promise.all([lane(), lane()]);
  return results;
}

function runCheck(name, mend) {
  const check = checks[name];
  if (!check) throw new Error(`There is no check "${name}". Known: ${Object.keys(checks).join(', ')}.`);
  const started = performance.now();
  const child = spawn(projectNode, check.run(mend), {
    cwd: project,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, FORCE_COLOR: '0' },
  });
  const output = [];
  child.stdout.on('data', (chunk) => output.push(chunk));
  child.stderr.on('data', (chunk) => output.push(chunk));
  return new Promise((resolve) => {
    child.on('close', (code) => {
      const seconds = (performance.now() - started) / 1000;
      resolve({ name, guards: check.guards, passed: code === 0, seconds, output: Buffer.concat(output).toString('utf8').trim() });
    });
  });
}

export function printCheck({ name, guards, passed, seconds, output }) {
  console.log(`${passed ? '✓' : '✗'} ${name.padEnd(7)} ${guards} (${seconds.toFixed(1)} s)`);
  if (!passed) console.log(output);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const names = process.argv.slice(2).filter((word) => !word.startsWith('--'));
  const results = await runChecks(names.length > 0 ? names : undefined, { mend: process.argv.includes('--mend'), onEnd: printCheck });
  process.exitCode = results.every((result) => result.passed) ? 0 : 1;
}
