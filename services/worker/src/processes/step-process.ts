import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { DomainError } from '#core';
import type { ProcessExit } from './process-exit.ts';
import {
  FromProcess,
  type HandlerEnd,
  type HandlerFacts,
  type ProcessSetup,
  type StepAssignment,
  type ToProcess,
} from './process-messages.ts';

export interface StepLine {
  readonly at: number;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly text: string;
}

/** Hears what one step does in its process. `ended` or `died` comes once, last. */
export interface StepListener {
  line(line: StepLine): void;
  beat(): void;
  ended(end: HandlerEnd, ranMs: number): void;
  died(exit: ProcessExit): void;
}

/** What runs handlers, seen from the worker: one that is starting or ready, and takes steps until it is killed. */
export interface StepRunner {
  /** What it can run. Rejects when it cannot start. */
  readonly ready: Promise<readonly HandlerFacts[]>;
  /** Starts a step; its number is for `abort`. */
  run(assignment: StepAssignment, listener: StepListener): number;
  abort(id: number, reason: string): void;
  /** Ends it and all its steps now. Safe to call twice. */
  kill(): void;
}

/** The file that this one became: sources run sources, a build runs its build. */
const fromSources = import.meta.url.endsWith('.ts');
const entry = fileURLToPath(new URL(`../child/main.${fromSources ? 'ts' : 'js'}`, import.meta.url));
const sourceFlags = ['--conditions=ff-src', '--import', new URL('../../../../tools/swc-hook.mjs', import.meta.url).href];

/** Variables that a handler has no business with: the worker's own way to Redis, and databases. */
const withheld = /^(REDIS_URL|.*DATABASE_URL|NODE_OPTIONS|NODE_CHANNEL_FD)$/;

const lastWordsMax = 8_192;
const startWithinMs = 30_000;
/** How long a dead process's pipes may still bring its last words: a subprocess may hold them open for ever. */
const lastWordsWithinMs = 200;

/** A forked process that runs handlers, seen from the worker. It leads a process group, so that a kill takes its subprocesses along. */
export class StepProcess implements StepRunner {
  /** What it can run. Rejects with `worker.handlers_unloadable` when its modules do not load. */
  readonly ready: Promise<readonly HandlerFacts[]>;
  private readonly child: ChildProcess;
  private readonly listeners = new Map<number, StepListener>();
  private readonly gone: Promise<void>;
  private lastWords = '';
  private serial = 0;
  private over = false;

  constructor(setup: Omit<ProcessSetup, 'parent'>) {
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !withheld.test(name)));
    this.child = fork(entry, [JSON.stringify({ ...setup, parent: process.pid } satisfies ProcessSetup)], {
      execArgv: fromSources ? sourceFlags : ['--enable-source-maps'],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
      env,
    });
    this.ready = this.announcement();
    this.ready.catch(() => this.kill());
    this.gone = this.ending();
    // A signal or message that no longer reaches it: its end is told by `exit`.
    this.child.on('error', () => undefined);
    this.child.on('message', (message) => this.hear(message));
    this.child.stdout?.on('data', (chunk: Buffer) => this.overhear('info', chunk));
    this.child.stderr?.on('data', (chunk: Buffer) => this.overhear('warn', chunk));
  }

  get alive(): boolean {
    return !this.over && this.child.connected;
  }

  /** Steps that it is running. */
  get load(): number {
    return this.listeners.size;
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Starts a step; its number is for `abort`. */
  run(assignment: StepAssignment, listener: StepListener): number {
    const id = (this.serial += 1);
    this.listeners.set(id, listener);
    this.tell({ kind: 'run', id, assignment });
    return id;
  }

  abort(id: number, reason: string): void {
    this.tell({ kind: 'abort', id, reason });
  }

  /** SIGKILL for it and its subprocesses. Safe to call twice. */
  kill(): void {
    if (this.over || this.child.pid === undefined) return;
    try {
      process.kill(-this.child.pid, 'SIGKILL');
    } catch {
      this.child.kill('SIGKILL');
    }
  }

  async stop(): Promise<void> {
    this.kill();
    await this.gone;
  }

  private tell(message: ToProcess): void {
    if (this.child.connected) this.child.send(message, () => undefined);
  }

  private async announcement(): Promise<readonly HandlerFacts[]> {
    const signal = AbortSignal.timeout(startWithinMs);
    const exited = once(this.child, 'exit', { signal }).then(([code, by]) =>
      unloadable(`it ended with ${String(by ?? code)} while starting`),
    );
    const spoken = once(this.child, 'message', { signal }).then(([raw]) => FromProcess.parse(raw));
    const first = await Promise.race([spoken, exited]).catch((error: unknown) => {
      throw error instanceof DomainError ? error : unloadable(`it was not ready within ${startWithinMs / 1000} s`);
    });
    exited.catch(() => undefined);
    if (first instanceof DomainError) throw first;
    if (first.kind !== 'ready') throw unloadable(first.kind === 'unloadable' ? first.message : 'it spoke before it was ready');
    return first.handlers;
  }

  private async ending(): Promise<void> {
    const exit = await new Promise<Omit<ProcessExit, 'lastWords'>>((resolve) => {
      this.child.once('exit', (code, signal) => resolve({ code, signal }));
      this.child.once('error', () => resolve({ code: null, signal: null }));
    });
    this.over = true;
    await Promise.race([once(this.child, 'close'), new Promise((resolve) => setTimeout(resolve, lastWordsWithinMs).unref())]);
    const listeners = [...this.listeners.values()];
    this.listeners.clear();
    for (const listener of listeners) listener.died({ ...exit, lastWords: this.lastWords });
  }

  private hear(raw: unknown): void {
    const parsed = FromProcess.safeParse(raw);
    // A handler may send through the channel as well; what is not ours is nobody's.
    if (!parsed.success) return;
    const message = parsed.data;
    if (message.kind === 'ready' || message.kind === 'unloadable') return;
    const listener = this.listeners.get(message.id);
    if (message.kind === 'log') listener?.line({ at: message.at, level: message.level, text: message.text });
    else if (message.kind === 'beat') listener?.beat();
    else {
      this.listeners.delete(message.id);
      listener?.ended(message.end, message.ranMs);
    }
  }

  /** Text past the capture, from native code or a subprocess: it belongs to the step only where there is just one. */
  private overhear(level: 'info' | 'warn', chunk: Buffer): void {
    const text = chunk.toString('utf8');
    if (level === 'warn') this.lastWords = (this.lastWords + text).slice(-lastWordsMax);
    const [only, ...others] = this.listeners.values();
    if (!only || others.length > 0) return;
    for (const line of text.split('\n')) if (line !== '') only.line({ at: Date.now(), level, text: line });
  }
}

function unloadable(why: string): DomainError {
  return new DomainError(
    'worker.handlers_unloadable',
    `A step process cannot run: ${why}.`,
    {},
    'Check HANDLERS and what the modules import.',
    'outage',
  );
}
