import type { Needs } from './step-order.ts';

/** A step reads another one: is that an ancestor? */
export interface StepReading {
  readonly reader: number;
  readonly read: number;
}

/**
 * Of some readings, those whose step is no ancestor of its reader. Direct needs are answered at once; for the rest one set of bits per
 * step is carried along the order, so that time grows with edges × (steps read ÷ 32) and no path is walked twice.
 */
export function readingsOutside<R extends StepReading>(readings: readonly R[], needs: Needs, order: readonly number[]): R[] {
  const distant = readings.filter(({ reader, read }) => needs[reader]?.includes(read) !== true);
  const bitOf = new Map<number, number>();
  for (const { read } of distant) if (!bitOf.has(read)) bitOf.set(read, bitOf.size);
  const words = Math.ceil(bitOf.size / 32);
  const above = new Uint32Array(words * needs.length);
  for (const step of words === 0 ? [] : order) {
    for (const need of needs[step] ?? []) {
      for (let word = 0; word < words; word++)
        above[step * words + word] = (above[step * words + word] ?? 0) | (above[need * words + word] ?? 0);
      const bit = bitOf.get(need);
      if (bit !== undefined) above[step * words + (bit >> 5)] = (above[step * words + (bit >> 5)] ?? 0) | (1 << (bit & 31));
    }
  }
  return distant.filter(({ reader, read }) => {
    const bit = bitOf.get(read) ?? 0;
    return ((above[reader * words + (bit >> 5)] ?? 0) & (1 << (bit & 31))) === 0;
  });
}
