import { groups, streams } from '#contracts';
import type { FamilyOptions } from '#transport';
import type { SchedulerConfig } from './config.ts';

/** What workers tell schedulers. */
export const FAMILIES = ['reports', 'heartbeats', 'logs'] as const;
type Family = (typeof FAMILIES)[number];

/** Entries of reports that one call takes, as a part of the reports that are written together: an entry holds one of them, or many. */
const REPORT_ENTRIES_SHARE = 4;

/** How the scheduler reads each family of streams. `consumer` is unique among the schedulers. */
export function familiesOf(config: SchedulerConfig, consumer: string): Record<Family, FamilyOptions> {
  const leaseMs = config.LEASE_SECONDS * 1000;
  const common = {
    group: groups.schedulers,
    consumer,
    acknowledge: 'auto' as const,
    // What a scheduler took and did not finish within a lease is taken over by another.
    reclaimIdleMs: Math.max(1_000, leaseMs),
    reclaimEveryMs: Math.max(500, config.SWEEP_SECONDS * 1000),
    deliveriesMax: 5,
    deadLetterLengthMax: 10_000,
  };
  return {
    reports: { ...common, batchMax: Math.ceil(config.REPORT_BATCH / REPORT_ENTRIES_SHARE), inFlightMax: config.REPORT_BATCH },
    heartbeats: { ...common, batchMax: 500, inFlightMax: 1_000 },
    logs: { ...common, batchMax: 50, inFlightMax: 100 },
  };
}

/** The streams of each family for these deployments. */
export function streamsOf(deployments: readonly string[]): Record<Family, string[]> {
  return {
    reports: deployments.map(streams.reports),
    heartbeats: deployments.map(streams.heartbeats),
    logs: deployments.map(streams.logs),
  };
}
