import { BatchFailure, type Delivery } from '#transport';

/** Where a report came from: its delivery, and its place (from 1) among so many that travelled together. */
export interface ReportOrigin {
  readonly delivery: Delivery;
  readonly place: number;
  readonly count: number;
}

/** A report that could not be applied. `hopeless`: no further delivery can help. */
export interface ReportFault {
  readonly origin: ReportOrigin;
  readonly reason: string;
  readonly hopeless: boolean;
}

/** The reasons that are told of one delivery; of the rest, only how many they are. */
const REASONS_TOLD_MAX = 3;

/**
 * What the transport is told of them. The reports beside them in their deliveries are applied: delivered again, they change nothing. A
 * delivery is given up at once when that can help none of its faults.
 */
export function failureOf(faults: readonly ReportFault[]): BatchFailure {
  const failed = new Map<Delivery, string>();
  const hopeless = new Set<Delivery>();
  for (const [delivery, ofDelivery] of Map.groupBy(faults, ({ origin }) => origin.delivery)) {
    failed.set(delivery, reasonOf(ofDelivery));
    if (ofDelivery.every((fault) => fault.hopeless)) hopeless.add(delivery);
  }
  return new BatchFailure(failed, hopeless);
}

function reasonOf(faults: readonly ReportFault[]): string {
  const told = faults.slice(0, REASONS_TOLD_MAX).map(({ origin: { place, count }, reason }) => {
    return count === 1 ? reason : `Report ${place} of ${count}: ${reason}`;
  });
  const more = faults.length - told.length;
  return more === 0 ? told.join(' ') : `${told.join(' ')} And ${more} more.`;
}
