import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds since 1970 by a clock that never jumps: all times of one history and its journal are of this one. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}

/** Waits, at most until the signal comes. Never throws. */
export async function rest(ms: number, signal?: AbortSignal): Promise<void> {
  await sleep(Math.max(0, ms), undefined, signal ? { signal } : {}).catch(() => undefined);
}

/** The work's answer, or an error that names it after `ms`. What the work does later is nobody's business any more, its errors included. */
export async function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${ms} ms`)), ms);
  });
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
