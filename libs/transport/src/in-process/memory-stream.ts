import { randomUUID } from 'node:crypto';
import type { DeadLetter } from '../stream-transport.ts';

export interface MemoryEntry {
  readonly id: string;
  readonly body: string;
}

interface Claim {
  readonly entry: MemoryEntry;
  owner: string;
  touchedAt: number;
  deliveries: number;
}

/** What one group has taken and not acknowledged, and what waits for it, in order. */
export class MemoryGroup {
  readonly pending = new Map<string, Claim>();
  private waiting: MemoryEntry[];
  private taken = 0;

  constructor(waiting: readonly MemoryEntry[]) {
    this.waiting = [...waiting];
  }

  get waitingCount(): number {
    return this.waiting.length - this.taken;
  }

  push(entry: MemoryEntry): void {
    this.waiting.push(entry);
  }

  head(count: number): readonly MemoryEntry[] {
    return this.waiting.slice(this.taken, this.taken + count);
  }

  take(count: number, owner: string, now: number): readonly MemoryEntry[] {
    const entries = this.head(count);
    for (const entry of entries) this.pending.set(entry.id, { entry, owner, touchedAt: now, deliveries: 1 });
    this.taken += entries.length;
    this.forgetTaken();
    return entries;
  }

  /** Cutting off a long array for each entry would cost more than the entry: half of it must be gone. */
  private forgetTaken(): void {
    if (this.taken * 2 < this.waiting.length) return;
    this.waiting = this.waiting.slice(this.taken);
    this.taken = 0;
  }
}

/** One stream: its entries until acknowledged, its groups, its dead letters. */
export class MemoryStream {
  readonly entries = new Map<string, MemoryEntry>();
  readonly groups = new Map<string, MemoryGroup>();
  readonly dead: DeadLetter[] = [];

  add(entry: MemoryEntry): void {
    this.entries.set(entry.id, entry);
    for (const group of this.groups.values()) group.push(entry);
  }

  /** The group with this name, made from the first entry on when it is not there. */
  group(name: string): { readonly group: MemoryGroup; readonly fresh: boolean } {
    const known = this.groups.get(name);
    if (known !== undefined) return { group: known, fresh: false };
    const group = new MemoryGroup([...this.entries.values()]);
    this.groups.set(name, group);
    return { group, fresh: true };
  }

  ack(group: string, id: string): void {
    this.groups.get(group)?.pending.delete(id);
    this.entries.delete(id);
  }
}

/** Ids that grow: milliseconds, then a number within the millisecond. */
export class EntryIds {
  private ms = 0;
  private number = 0;

  next(): string {
    const now = Math.max(Date.now(), this.ms);
    this.number = now === this.ms ? this.number + 1 : 0;
    this.ms = now;
    return `${now}-${this.number}`;
  }
}

/** Compares ids by their two numbers. */
export function isAfter(id: string, than: string): boolean {
  const [ms = 0, number = 0] = id.split('-').map(Number);
  const [thanMs = 0, thanNumber = 0] = than.split('-').map(Number);
  return ms > thanMs || (ms === thanMs && number > thanNumber);
}

export function freshGeneration(): string {
  return randomUUID();
}
