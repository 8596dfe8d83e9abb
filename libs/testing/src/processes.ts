import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { DomainError } from '#core';
import { watchOver } from '#embedded';
import { eventually } from './eventually.ts';

const project = fileURLToPath(new URL('../../..', import.meta.url));
const hook = new URL('../../../tools/swc-hook.mjs', import.meta.url).href;
const logLinesMax = 20_000;

export interface ProcessOptions {
  /** The entry file, from the project's folder: `services/api/src/main.ts`. */
  readonly main: string;
  readonly args?: readonly string[];
  /** Joined to a bare environment (PATH, HOME, NODE_ENV=test): nothing of the developer's shell leaks in. */
  readonly env?: Readonly<Record<string, string>>;
  /** What is awaited before `startProcess` returns: a line on stdout or stderr, an address that answers 200, or nothing. */
  readonly ready?: { readonly line: RegExp } | { readonly url: string };
  /** Milliseconds; 20 s unless told. */
  readonly readyWithin?: number;
  /** Shown in errors. */
  readonly name?: string;
}

/** How a process ended. As a shell sees it: 137 after SIGKILL, 143 after SIGTERM, the exit code otherwise. */
export interface Ending {
  readonly code: number;
  readonly signal: NodeJS.Signals | null;
}

/** A real process of ours under test. It is killed when the test process goes, however that goes. */
export interface TestProcess {
  readonly pid: number;
  readonly name: string;
  /** Lines of stdout and stderr in the order of arrival, the newest 20,000. */
  readonly lines: readonly string[];
  readonly ended: Promise<Ending>;
  /** The ending, once there is one. */
  readonly ending: Ending | undefined;
  /** Sends the signal (SIGTERM unless told) and waits for the end. Returns at once when the process has ended before. */
  kill(signal?: NodeJS.Signals): Promise<Ending>;
  /** Waits for a line that matches, among those already there as well. */
  line(pattern: RegExp, withinMs?: number): Promise<string>;
}

/** Starts a service from its sources and waits until it is ready. Throws with its last lines when it ends before that. */
export async function startProcess(options: ProcessOptions): Promise<TestProcess> {
  const name = options.name ?? options.main;
  const flags = ['--conditions=ff-src', '--import', hook];
  const child = spawn(process.execPath, [...flags, options.main, ...(options.args ?? [])], {
    cwd: project,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...bareEnvironment(), ...options.env },
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      if (lines.length > logLinesMax) lines.shift();
    });
  }
  let ending: Ending | undefined;
  const ended = new Promise<Ending>((resolve) => {
    // `close`, not `exit`: by then the last lines have been read.
    child.once('close', (code, signal) => resolve((ending = { code: code ?? 128 + numberOf(signal), signal })));
    child.once('error', () => resolve((ending = { code: 127, signal: null })));
  });
  const watchdog = watchOver(child.pid ?? 0, 'KILL');
  void ended.then(() => watchdog.release());

  const started: TestProcess = {
    pid: child.pid ?? 0,
    name,
    lines,
    ended,
    get ending() {
      return ending;
    },
    kill: async (signal = 'SIGTERM') => {
      if (!ending) child.kill(signal);
      return await ended;
    },
    line: (pattern, withinMs = 10_000) =>
      eventually(() => lines.find((line) => pattern.test(line)), { within: withinMs, what: `${name} to say ${pattern}` }),
  };
  await untilReady(started, options);
  return started;
}

async function untilReady(started: TestProcess, { ready, readyWithin = 20_000 }: ProcessOptions): Promise<void> {
  if (!ready) return;
  const isReady = 'line' in ready ? () => started.lines.some((line) => ready.line.test(line)) : () => answersOk(ready.url);
  const state = await eventually(async () => (started.ending ? 'ended' : (await isReady()) && 'ready'), {
    within: readyWithin,
    what: `${started.name} to be ready`,
  }).catch(async (error: unknown) => {
    await started.kill('SIGKILL');
    throw new DomainError('test.process.not_ready', `${String(error)}\n${tail(started)}`, {}, null, 'outage');
  });
  if (state === 'ended') {
    throw new DomainError(
      'test.process.ended',
      `${started.name} ended with ${started.ending?.code} before it was ready:\n${tail(started)}`,
      {},
      null,
      'outage',
    );
  }
}

async function answersOk(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
  await response.arrayBuffer();
  return response.status === 200;
}

function tail({ lines }: TestProcess): string {
  return lines.slice(-40).join('\n');
}

function bareEnvironment(): Record<string, string> {
  const kept = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'NODE_EXTRA_CA_CERTS', 'FLOWFORGE_MUTANT'].flatMap((key) =>
    process.env[key] === undefined ? [] : [[key, process.env[key]]],
  );
  return { ...Object.fromEntries(kept), NODE_ENV: 'test' };
}

const signalNumbers: Readonly<Partial<Record<NodeJS.Signals, number>>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGTERM: 15,
};

function numberOf(signal: NodeJS.Signals | null): number {
  return (signal && signalNumbers[signal]) || 0;
}
