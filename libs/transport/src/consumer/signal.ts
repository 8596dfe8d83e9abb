/** Something to wait for, with a longest wait. A notification with nobody waiting is kept for the next one who waits. */
export class Signal {
  private pending = false;
  private wake: (() => void) | undefined;

  notify(): void {
    if (this.wake === undefined) this.pending = true;
    else this.wake();
  }

  /** Resolves at the next notification or after `longestMs`. One waiter at a time. */
  async wait(longestMs: number): Promise<void> {
    if (this.pending) {
      this.pending = false;
      return;
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, longestMs);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.wake = undefined;
  }
}

/** Grows from `firstMs` to `maxMs` with each failure in a row. */
export class Backoff {
  private failures = 0;
  private readonly firstMs: number;
  private readonly maxMs: number;

  constructor(firstMs: number, maxMs: number) {
    this.firstMs = firstMs;
    this.maxMs = maxMs;
  }

  next(): number {
    const pause = Math.min(this.maxMs, this.firstMs * 2 ** Math.min(20, this.failures));
    this.failures += 1;
    return pause;
  }

  reset(): void {
    this.failures = 0;
  }
}
