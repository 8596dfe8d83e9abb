/** Pauses between tries: each twice as long as the one before, up to a bound. */
export class Rest {
  private nextMs: number;
  private wake: (() => void) | undefined;
  private over = false;

  constructor(
    private readonly firstMs: number,
    private readonly maxMs: number,
  ) {
    this.nextMs = firstMs;
  }

  async pause(): Promise<void> {
    if (this.over) return;
    const pauseMs = this.nextMs;
    this.nextMs = Math.min(this.maxMs, pauseMs * 2);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, pauseMs);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  reset(): void {
    this.nextMs = this.firstMs;
  }

  /** Ends the pause, and every later one at once. */
  interrupt(): void {
    this.over = true;
    this.wake?.();
  }
}
