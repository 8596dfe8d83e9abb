import { performance } from 'node:perf_hooks';

/** How long the work took, in whole milliseconds. */
export async function millisecondsOf(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return Math.round(performance.now() - began);
}

/** For faults whose point is that something else happens meanwhile. */
export async function letPass(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
