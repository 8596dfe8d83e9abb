/**
 * `npm run proof:sim`: the simulation in a part of all its suites, then the property tests. Bounded for pipelines: the aim is three minutes on two idle cores.
 * The last line is `N passed, N failed`; the exit code is 0 only when none failed. Part of the seeds are fresh: the line that names a failing one
 * tells how to see it again.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { fromSources, project, projectNode } from '../../tools/lib/project.mjs';

const JestResult = z.object({ numPassedTests: z.int(), numFailedTests: z.int(), numRuntimeErrorTestSuites: z.int() });

const simulation = await simulationTally();
const properties = await propertyTally();
const [passed, failed] = [simulation.passed + properties.passed, simulation.failed + properties.failed];
console.log(
  `simulation: ${simulation.passed} passed, ${simulation.failed} failed; property tests: ${properties.passed} passed, ${properties.failed} failed`,
);
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

async function simulationTally(): Promise<{ passed: number; failed: number }> {
  const { code, output } = await run([...fromSources, 'tests/simulation/simulate.ts', '--prove']);
  const [, passes, failures] = /(\d+) passed, (\d+) failed\s*$/.exec(output) ?? [];
  if (passes === undefined || failures === undefined || (code === 0) !== (failures === '0')) return { passed: 0, failed: 1 };
  return { passed: Number(passes), failed: Number(failures) };
}

/** The test files that draw their examples at random. */
async function propertyTally(): Promise<{ passed: number; failed: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'flowforge-properties-'));
  const outputFile = join(folder, 'result.json');
  await run(['tools/jest.mjs', '--selectProjects', 'unit', '--json', `--outputFile=${outputFile}`, '--', ...propertyFiles()], false);
  try {
    const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } = JestResult.parse(JSON.parse(readFileSync(outputFile, 'utf8')));
    return { passed: numPassedTests, failed: numFailedTests + numRuntimeErrorTestSuites + Number(numPassedTests === 0) };
  } catch {
    return { passed: 0, failed: 1 };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function propertyFiles(): string[] {
  return ['libs', 'services', 'sdk', 'cli']
    .flatMap((area) => readdirSync(join(project, area), { recursive: true, encoding: 'utf8' }).map((file) => join(area, file)))
    .filter((file) => file.endsWith('.test.ts') && !file.endsWith('.int.test.ts'))
    .filter((file) => readFileSync(join(project, file), 'utf8').includes("from 'fast-check'"));
}

function run(args: readonly string[], shows = true): Promise<{ code: number; output: string }> {
  const child = spawn(projectNode, args, { cwd: project, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (shows) process.stdout.write(text);
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code: code ?? 1, output })));
}
