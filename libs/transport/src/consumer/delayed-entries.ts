import type { PendingEntry } from './group-port.ts';

interface Delayed extends PendingEntry {
  readonly dueAt: number;
  readonly delayMs: number;
}

/**
 * Failed deliveries that wait for their next try. Only ids are kept; the body is fetched when due. Above `delayedMax` further
 * ones are not remembered: the server still has them, and the reclaim takes them when they have been idle long enough.
 */
export class DelayedEntries {
  private entries: Delayed[] = [];
  private readonly delayedMax: number;

  constructor(delayedMax: number) {
    this.delayedMax = delayedMax;
  }

  add(entry: PendingEntry, now: number, delayMs: number): void {
    if (this.entries.length < this.delayedMax) this.entries.push({ ...entry, dueAt: now + delayMs, delayMs });
  }

  has(stream: string, id: string): boolean {
    return this.entries.some((entry) => entry.stream === stream && entry.id === id);
  }

  /** Milliseconds until the next one is due; undefined when none waits. */
  nextIn(now: number): number | undefined {
    if (this.entries.length === 0) return undefined;
    return Math.max(0, Math.min(...this.entries.map((entry) => entry.dueAt)) - now);
  }

  /** Removes and returns what is due, at most `count`, with the shortest pause among them. */
  takeDue(now: number, count: number): { readonly entries: readonly PendingEntry[]; readonly delayMs: number } {
    const due = this.entries.filter((entry) => entry.dueAt <= now).slice(0, count);
    if (due.length === 0) return { entries: [], delayMs: 0 };
    const taken = new Set(due);
    this.entries = this.entries.filter((entry) => !taken.has(entry));
    return { entries: due, delayMs: Math.min(...due.map((entry) => entry.delayMs)) };
  }
}

/** Pause before a redelivery: doubles with each delivery, bounded. */
export function redeliveryDelay(deliveries: number, firstMs: number, maxMs: number): number {
  return Math.min(maxMs, firstMs * 2 ** Math.min(20, Math.max(0, deliveries - 1)));
}
