/**
 * What the pipeline runs: checks, then the unit, integration and end-to-end suites, each with real servers where it needs them.
 *   npm test                        everything
 *   npm test -- unit integration    only these stages (checks, unit, integration, e2e)
 * The last line is `N passed, N failed` (and `, N skipped`), counted over all stages; a check counts as one test. A stage in which no test
 * ran has failed: a suite that lost its files must not look green.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { printCheck, runChecks } from './check.mjs';
import { project, projectNode } from './lib/project.mjs';

const stageMinutesMax = 15;
const folder = mkdtempSync(join(tmpdir(), 'flowforge-results-'));
const skipFile = join(folder, 'skipped');
const stages = {
  checks: checkTally,
  unit: () => jestTally('unit'),
  integration: () => jestTally('integration'),
  // One file at a time: they start several processes each and watch leases of a second.
  e2e: () => jestTally('e2e', { FLOWFORGE_TEST_WORKERS: '1' }),
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in stages));
if (unknown.length > 0) {
  console.error(`There is no stage ${unknown.join(', ')}. Known: ${Object.keys(stages).join(', ')}.`);
  process.exit(2);
}

const total = { passed: 0, failed: 0, skipped: [] };
for (const name of asked.length > 0 ? asked : Object.keys(stages)) {
  const started = Date.now();
  console.log(`\n━━ ${name} ${'━'.repeat(70 - name.length)}`);
  const tally = await stages[name]();
  total.passed += tally.passed;
  total.failed += tally.failed;
  total.skipped.push(...tally.skipped);
  console.log(
    `${name}: ${tally.passed} passed, ${tally.failed} failed, ${tally.skipped.length} skipped in ${Math.round((Date.now() - started) / 1000)} s`,
  );
}
if (total.skipped.length > 0) console.log(`\nSkipped:\n${indented(total.skipped)}`);
rmSync(folder, { recursive: true, force: true });
process.exitCode = total.failed > 0 ? 1 : 0;
console.log(`\n${total.passed} passed, ${total.failed} failed${total.skipped.length > 0 ? `, ${total.skipped.length} skipped` : ''}`);

/** @param {string[]} lines */
function indented(lines) {
  return lines.map((line) => `  ${line}`).join('\n');
}

async function checkTally() {
  const results = await runChecks(undefined, { onEnd: printCheck });
  const passed = results.filter((result) => result.passed).length;
  return { passed, failed: results.length - passed, skipped: [] };
}

async function jestTally(stage, environment = {}) {
  const outputFile = join(folder, `${stage}.json`);
  const code = await runJest(['--selectProjects', stage, '--json', `--outputFile=${outputFile}`], environment);
  const result = readResult(outputFile);
  if (!result) return { passed: 0, failed: 1, skipped: [], ...say(`✗ ${stage}: jest ended with ${code} and left no result`) };
  const skipped = [...skippedServers(stage), ...skippedTests(result)];
  const failed = result.numFailedTests + result.numRuntimeErrorTestSuites;
  if (result.numPassedTests + failed === 0) return { passed: 0, failed: 1, skipped, ...say(`✗ ${stage}: no test ran`) };
  // Jest also fails for what is no test: a global setup, a worker that crashed.
  return { passed: result.numPassedTests, failed: failed === 0 && code !== 0 ? 1 : failed, skipped };
}

function say(line) {
  console.log(line);
  return {};
}

/** With --json jest writes its report to stdout as well: only stderr, where it shows its progress, is passed on. */
function runJest(args, environment) {
  const env = { ...process.env, ...environment, FLOWFORGE_TEST_SKIPS: skipFile };
  const child = spawn(projectNode, [join(project, 'tools', 'jest.mjs'), ...args], {
    cwd: project,
    stdio: ['ignore', 'ignore', 'inherit'],
    env,
  });
  const limit = setTimeout(() => {
    console.log(`✗ not done within ${stageMinutesMax} minutes: ended`);
    child.kill('SIGTERM');
  }, stageMinutesMax * 60_000);
  return new Promise((resolve) => {
    child.on('close', (code) => {
      clearTimeout(limit);
      resolve(code ?? 1);
    });
  });
}

function readResult(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** The global setup notes which servers the suites had to do without. */
function skippedServers(stage) {
  try {
    const lines = readFileSync(skipFile, 'utf8').trim().split('\n').filter(Boolean);
    rmSync(skipFile);
    return lines.map((line) => `${stage} on ${line}`);
  } catch {
    return [];
  }
}

function skippedTests(result) {
  return result.testResults.flatMap((file) =>
    file.assertionResults
      .filter(({ status }) => ['pending', 'todo', 'disabled'].includes(status))
      .map(({ fullName }) => `${file.name.slice(project.length + 1)}: ${fullName}`),
  );
}
