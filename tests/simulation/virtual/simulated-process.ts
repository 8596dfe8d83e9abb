/** Something that will happen in a process. */
export interface Happening {
  /** Virtual milliseconds. */
  at: number;
  readonly order: number;
  readonly process: SimulatedProcess;
  readonly label: string;
  readonly run: () => void;
  cancelled: boolean;
}

/** One life of a process of the simulated world. It may die, or be paused: then everything that it would have done waits. */
export class SimulatedProcess {
  alive = true;
  pausedUntil = 0;
  /** How far its wall clock is off, in milliseconds. Its monotonic clock is right. */
  clockOffMs = 0;
  /** Ends it from within, as running out of memory does. */
  crash: () => void = () => this.die();
  /** What came due while it was paused. */
  readonly missed: Happening[] = [];
  private readonly onDeath: (() => void)[] = [];

  constructor(readonly name: string) {}

  /** Ends it without a word. What it had open notices in its own time. */
  die(): void {
    if (!this.alive) return;
    this.alive = false;
    this.pausedUntil = 0;
    this.missed.length = 0;
    for (const listener of this.onDeath.splice(0)) listener();
  }

  whenItDies(listener: () => void): void {
    this.onDeath.push(listener);
  }
}
