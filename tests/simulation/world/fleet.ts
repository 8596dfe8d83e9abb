import type { Kernel } from '../virtual/kernel.ts';
import { SimulatedProcess } from '../virtual/simulated-process.ts';

/** Something that runs in a process. */
interface Program {
  start(): Promise<void>;
  stop?(): Promise<void>;
}

/** How a process is started: called within it. `exit` ends it. */
type Launch = (exit: () => void) => Program;

/** A place for a process that is started again whenever it has ended. */
export class Slot {
  process: SimulatedProcess;
  private program: Program | null = null;
  private lives = 0;
  private held = false;

  constructor(
    private readonly kernel: Kernel,
    readonly name: string,
    private readonly launch: Launch,
  ) {
    this.process = new SimulatedProcess(`${name}.0`);
    this.process.die();
  }

  start(inMs: number): void {
    this.lives += 1;
    const process = new SimulatedProcess(`${this.name}.${this.lives}`);
    process.crash = () => this.end(process, 300);
    this.process = process;
    this.held = false;
    this.kernel.plan(process, inMs, 'starts', () => {
      const program = this.launch(() => this.end(process, 300));
      this.program = program;
      program.start().catch((error: unknown) => {
        this.kernel.note(`${process.name} could not start: ${error instanceof Error ? error.message : String(error)}`);
        this.end(process, 300);
      });
    });
  }

  /** SIGKILL; somebody starts it again a while later. */
  crash(restartInMs: number): void {
    this.end(this.process, restartInMs);
  }

  /** SIGTERM: it stops in order, at the longest for `graceMs`. */
  stop(graceMs: number, restartInMs: number): void {
    const { process, program } = this;
    if (!process.alive || !program?.stop || this.held) return;
    this.held = true;
    const stopping = program;
    this.kernel.plan(process, 0, 'is told to stop', () => {
      stopping.stop?.().then(
        () => this.end(process, restartInMs),
        () => this.end(process, restartInMs),
      );
    });
    this.kernel.plan(this.kernel.outside, graceMs, `ends ${process.name}`, () => this.end(process, restartInMs));
  }

  private end(process: SimulatedProcess, restartInMs: number): void {
    if (!process.alive || this.process !== process) return;
    this.kernel.note(`${process.name} ends`);
    process.die();
    this.program = null;
    this.start(restartInMs);
  }
}
