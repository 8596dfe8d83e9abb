/**
 * How long a start of the one process takes from a build: `node tools/setup.mjs --run tests/e2e/local/start-time.ts [HANDLERS]`. Prints the
 * time from the spawn to the 201 of a first run, for a first start and for ten further ones on the same folder. Judges nothing.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { makeTestFolder } from '#testing';
import { ApiClient } from '../../harness/api-client.ts';
import { SINGLE_STEP } from '../../harness/definitions.ts';

const STARTS = 10;
const project = fileURLToPath(new URL('../../..', import.meta.url));
const dataDir = await makeTestFolder('start-time');
const environment = { ...process.env, DATA_DIR: dataDir, PORT: '0', LOG_LEVEL: 'warn', HANDLERS: process.argv[2] ?? '' };

spawnSync(process.execPath, [join(project, 'tools', 'build.mjs'), '--if-stale'], { stdio: 'inherit' });
try {
  const first = await timeStart();
  const further: number[] = [];
  for (let at = 0; at < STARTS; at += 1) further.push(await timeStart());
  const sorted = further.toSorted((one, other) => one - other);
  console.log(
    `First start: ${first} ms. ${STARTS} further ones: ${sorted.join(', ')} ms. Load of the machine: ${loadavg()[0]?.toFixed(1)}.`,
  );
} finally {
  await rm(dataDir, { recursive: true, force: true });
}

/** Starts it, starts a run, stops it. Returns the milliseconds until the run was accepted. */
async function timeStart(): Promise<number> {
  const began = performance.now();
  const child = spawn(process.execPath, [join(project, 'dist/services/local/src/main.js')], {
    cwd: project,
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  try {
    const url = await urlIn(child.stdout);
    const api = new ApiClient(url, (await readFile(join(dataDir, 'admin-token'), 'utf8')).trim());
    await api.run(await api.apply(SINGLE_STEP));
    return Math.round(performance.now() - began);
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
}

async function urlIn(output: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: output })) {
    const url = /^FlowForge is ready: (\S+)/.exec(line)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error('It ended before it was ready.');
}
