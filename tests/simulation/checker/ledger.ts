/** The outside world: books each effect once per idempotency key, however often it is asked. */
export class Ledger {
  /** How often each key was asked for. */
  readonly asked = new Map<string, number>();
  /** How often a handler began for each key. */
  readonly begun = new Map<string, number>();

  /** Workers that steps may end in one world: enough to see whether anybody stops it. */
  private killsLeft = 60;

  mayKill(): boolean {
    this.killsLeft -= 1;
    return this.killsLeft >= 0;
  }

  /** A handler begins, for this key. */
  begin(key: string): void {
    this.begun.set(key, (this.begun.get(key) ?? 0) + 1);
  }

  book(key: string): void {
    this.asked.set(key, (this.asked.get(key) ?? 0) + 1);
  }

  get asks(): number {
    return [...this.asked.values()].reduce((sum, times) => sum + times, 0);
  }
}
