import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import { Agenda } from './agenda.ts';
import { Random } from './random.ts';
import { type Happening, SimulatedProcess } from './simulated-process.ts';

/** Virtual time begins here: a Monday. */
export const BEGINNING = Date.UTC(2026, 0, 5);

/** In which process code runs now. Follows promises, so that what a continuation plans belongs to whoever awaited it. */
const running = new AsyncLocalStorage<SimulatedProcess>();
/** A tick comes when no promise can go on by itself: ten times as fast as a turn of the real loop. */
const ticked = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));
/** Taken before the globals are replaced. Only between two turns of the real loop Node tells of promises that nobody caught. */
const { setImmediate: realSetImmediate } = globalThis;
const turned = (): Promise<void> => new Promise((resolve) => realSetImmediate(resolve));
const TICKS_PER_TURN = 32;

let current: Kernel | null = null;

function makeCurrent(kernel: Kernel | null): void {
  current = kernel;
}

/** The kernel of the world that is being simulated; null outside of one. */
export function currentKernel(): Kernel | null {
  return current;
}

/**
 * Virtual time and the one thread of control: takes what is planned, one thing after another, and lets every promise that it settles run to
 * its next wait. The seed decides all that is random, so the same seed gives the same history to the byte.
 */
export class Kernel {
  now = BEGINNING;
  events = 0;
  /** Ids and jitter of the code under test. */
  readonly random: Random;
  /** The outside of all processes: the servers, the faults, the checker. */
  readonly outside = new SimulatedProcess('outside');
  readonly failures: string[] = [];
  private readonly agenda = new Agenda();
  private readonly history = createHash('sha256');
  private unhashed = '';
  private planned = 0;
  private ticks = 0;

  constructor(
    readonly seed: number,
    private readonly trace: ((line: string) => void) | null = null,
  ) {
    this.random = new Random(seed, 1);
  }

  get process(): SimulatedProcess {
    return running.getStore() ?? this.outside;
  }

  /** Milliseconds since the beginning. */
  get elapsedMs(): number {
    return this.now - BEGINNING;
  }

  /** Plans something for a process. Returns what `cancel` takes. */
  plan(process: SimulatedProcess, inMs: number, label: string, run: () => void): Happening {
    this.planned += 1;
    const happening = {
      at: this.now + Math.max(0, inMs),
      order: this.planned,
      process,
      label,
      run,
      cancelled: !process.alive,
    };
    if (process.alive) this.agenda.add(happening);
    return happening;
  }

  /** Writes a line into the history, whose hash tells whether two runs were the same. */
  note(line: string): void {
    this.unhashed += `${Math.round(this.elapsedMs * 1000)} ${line}\n`;
    if (this.unhashed.length > 16_384) this.flush();
    this.trace?.(`${this.elapsedMs.toFixed(3).padStart(10)}  ${line}`);
  }

  /** Tells a reader of the trace more; no part of the history. */
  tell(line: () => string): void {
    this.trace?.(`${this.elapsedMs.toFixed(3).padStart(10)}      ${line()}`);
  }

  historyHash(): string {
    this.flush();
    return this.history.copy().digest('hex').slice(0, 32);
  }

  /** Hook: a process is about to get an answer from a server. */
  hears(_process: SimulatedProcess, _to: string, _answer: unknown): void {
    // Of use where states are told apart by what processes know.
  }

  /** Makes this the kernel of the globals while `work` runs. */
  async host<Result>(work: () => Promise<Result>): Promise<Result> {
    makeCurrent(this);
    try {
      return await work();
    } finally {
      makeCurrent(null);
    }
  }

  /** Resolves when no promise can go on by itself. */
  protected drained(): Promise<void> {
    this.ticks += 1;
    return this.ticks % TICKS_PER_TURN === 0 ? turned() : ticked();
  }

  /** Runs `work` as this process. */
  within<Result>(process: SimulatedProcess, work: () => Result): Result {
    return running.run(process, work);
  }

  /** Runs until `isOver`, or until nothing is left to do. */
  async run(isOver: () => boolean): Promise<void> {
    makeCurrent(this);
    try {
      while (!isOver()) {
        const happening = this.agenda.take();
        if (!happening) return;
        if (!this.isDue(happening)) continue;
        this.now = Math.max(this.now, happening.at);
        this.events += 1;
        this.note(`${happening.process.name} ${happening.label}`);
        running.run(happening.process, happening.run);
        await this.drained();
      }
      await turned();
    } finally {
      makeCurrent(null);
    }
  }

  pause(process: SimulatedProcess, forMs: number): void {
    process.pausedUntil = this.now + forMs;
    this.plan(this.outside, forMs, `resumes ${process.name}`, () => this.resume(process));
  }

  private resume(process: SimulatedProcess): void {
    if (process.pausedUntil > this.now) return;
    for (const happening of process.missed.splice(0)) {
      this.planned += 1;
      this.agenda.add({ ...happening, at: this.now, order: this.planned });
    }
  }

  private isDue(happening: Happening): boolean {
    const { process } = happening;
    if (happening.cancelled || !process.alive) return false;
    if (process.pausedUntil <= Math.max(this.now, happening.at)) return true;
    this.now = Math.max(this.now, happening.at);
    process.missed.push(happening);
    return false;
  }

  private flush(): void {
    this.history.update(this.unhashed);
    this.unhashed = '';
  }
}
