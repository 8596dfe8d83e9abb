import type { Delivery } from '#transport';
import type { StreamServer } from '../network/stream-server.ts';
import { ageOf, plainBody } from './plain-state.ts';

const NAMES = ['tasks:default', 'reports:default'] as const;
export type StreamName = (typeof NAMES)[number];

/** The streams of tasks and reports, as a small scope looks at them: what lies in them, and whether somebody may take it. */
export class ScopeStreams {
  constructor(
    private readonly broker: StreamServer['broker'],
    /** An entry that was taken so long ago and not acknowledged is anybody's again. */
    private readonly leaseMs: number,
  ) {}

  /** Entries of this epoch. What is left of an earlier one nobody reads any more. */
  lengths(epoch: number): number {
    return NAMES.reduce((sum, name) => sum + (this.broker.find(`${epoch}|${name}`)?.entries.size ?? 0), 0);
  }

  /** What lies in the streams of all epochs up to this one, without what only chance has chosen. */
  contents(epochs: number, now: number): unknown {
    return Array.from({ length: epochs }, (_, at) => at + 1)
      .flatMap((epoch) => NAMES.map((name) => `${epoch}|${name}`))
      .map((name) => {
        const stream = this.broker.find(name);
        return [...(stream?.groups ?? [])].map(([group, found]) => [
          group,
          found.head(100).map(({ id, body }) => [plainBody(body), ageOf(Number(id.split('-')[0]), now)]),
          [...found.pending.values()].map(({ entry, owner, deliveries, touchedAt }) => [
            plainBody(entry.body),
            owner,
            deliveries,
            ageOf(touchedAt, now),
          ]),
        ]);
      });
  }

  /** New entries, and those that somebody took a lease ago and has not acknowledged. */
  mayTake(epoch: number, name: StreamName, group: string, now: number): boolean {
    const found = this.broker.find(`${epoch}|${name}`)?.group(group).group;
    if (!found) return false;
    return found.waitingCount > 0 || [...found.pending.values()].some(({ touchedAt }) => now - touchedAt >= this.leaseMs);
  }

  take(epoch: number, name: StreamName, groupName: string, owner: string, now: number): Delivery[] {
    const { group } = this.broker.stream(`${epoch}|${name}`).group(groupName);
    const fresh = group.take(1, owner, now).map(({ id, body }) => ({ stream: name, id, body, deliveries: 1 }));
    if (fresh.length > 0) return fresh;
    return [...group.pending].flatMap(([id, claim]) => {
      if (now - claim.touchedAt < this.leaseMs) return [];
      Object.assign(claim, { owner, touchedAt: now, deliveries: claim.deliveries + 1 });
      return [{ stream: name, id, body: claim.entry.body, deliveries: claim.deliveries }];
    });
  }
}
