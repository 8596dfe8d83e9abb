import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError } from '#core';
import { readPostmaster } from './orphan.ts';
import { type ServerUser, idsOf } from './server-user.ts';
import { watchOver } from './watchdog.ts';

const readyWithinMs = 60_000;
const logBytesMax = 10 * 1024 * 1024;

/** What one server process is started with. */
export interface ServerCommand {
  readonly bin: string;
  readonly home: string;
  readonly cluster: string;
  readonly port: number;
  readonly user: ServerUser;
  readonly settings: Readonly<Record<string, string | number | boolean>>;
}

/** A running `postgres`. `ended` resolves when it is gone, for whatever reason. */
export interface ServerProcess {
  readonly pid: number;
  readonly ended: Promise<void>;
  signal(name: 'SIGINT' | 'SIGKILL'): Promise<void>;
}

/** Starts the server and waits until it accepts connections; when it ends instead, throws `postgres.start` with the end of its log. */
export async function startServer(command: ServerCommand): Promise<ServerProcess> {
  const log = await openLog(command.home);
  const child = spawn(join(command.bin, 'postgres'), argumentsOf(command), {
    ...idsOf(command.user),
    // A session of its own: Ctrl-C in the terminal must reach FlowForge, which stops the server last.
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
    cwd: '/',
  });
  closeSync(log.fd);
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  // SIGINT is PostgreSQL's fast shutdown: when FlowForge dies, the server still leaves a clean folder.
  const watchdog = watchOver(child.pid ?? 0, 'INT');
  void ended.then(() => watchdog.release());
  if (!(await becomesReady(child, ended, command))) {
    await endQuietly(child, ended);
    throw await startError(log.path, log.size);
  }
  return { pid: child.pid ?? 0, ended, signal: (name) => sendAndWait(child, ended, name) };
}

function argumentsOf(command: ServerCommand): string[] {
  const settings = {
    port: command.port,
    listen_addresses: '127.0.0.1',
    // No socket file: its path would have to be shorter than 108 bytes, and TCP on loopback asks for the password as well.
    unix_socket_directories: '',
    ...command.settings,
  };
  return [
    '-D',
    command.cluster,
    ...Object.entries(settings).flatMap(([name, value]) => [
      '-c',
      `${name}=${typeof value === 'boolean' ? (value ? 'on' : 'off') : value}`,
    ]),
  ];
}

/** The log file goes on from start to start and is put aside once when it has grown. */
async function openLog(home: string): Promise<{ fd: number; path: string; size: number }> {
  const path = join(home, 'postgres.log');
  let size = (await stat(path).catch(() => undefined))?.size ?? 0;
  if (size > logBytesMax) {
    await rename(path, `${path}.1`);
    size = 0;
  }
  return { fd: openSync(path, 'a', 0o600), path, size };
}

async function becomesReady(child: ChildProcess, ended: Promise<void>, { cluster }: ServerCommand): Promise<boolean> {
  const gone = new AbortController();
  void ended.then(() => gone.abort());
  for (const deadline = Date.now() + readyWithinMs; !gone.signal.aborted && Date.now() < deadline;) {
    const postmaster = await readPostmaster(cluster);
    if (postmaster?.pid === child.pid && postmaster?.ready) return true;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return false;
}

async function endQuietly(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.kill('SIGKILL');
  await ended;
}

async function sendAndWait(child: ChildProcess, ended: Promise<void>, signal: NodeJS.Signals): Promise<void> {
  child.kill(signal);
  await ended;
}

async function startError(path: string, from: number): Promise<DomainError> {
  const said = (await readFile(path)).subarray(from).toString('utf8').trim();
  const code = /could not create (listen|any TCP)|Address already in use/.test(said) ? 'postgres.port_taken' : 'postgres.start';
  return new DomainError(code, `PostgreSQL did not start:\n${said.slice(-2_000)}`, { log: path }, `Its log is ${path}.`, 'outage');
}
