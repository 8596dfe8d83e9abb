import { performance } from 'node:perf_hooks';
import type { Measures, Member } from '../world/types.ts';
import { measured, untilLight } from './process-readiness.ts';

/** A member that is started while a server is away needs that server first. */
export const READY_WITHIN_MS = 30_000;

/** Breaks something; when that fails midway, what was broken so far is healed before the error goes on. */
export async function orHeal<T>(breaking: () => Promise<T>, heal: () => Promise<unknown>): Promise<T> {
  try {
    return await breaking();
  } catch (error) {
    await heal().catch(() => undefined);
    throw error;
  }
}

/** Starts all of them again at the same time. `readyAfterMs`: until the last of them was ready. */
export async function startAllAgain(members: readonly Member[]): Promise<Measures> {
  const began = performance.now();
  await Promise.all(members.map((member) => member.startAgain({ wait: false })));
  return await allReady(members, began);
}

/** Lets all of them go on. `readyAfterMs`: until the last of them was ready. */
export async function letAllGoOn(members: readonly Member[]): Promise<Measures> {
  const began = performance.now();
  for (const member of members) member.goOn();
  return await allReady(members, began);
}

/** Waits until all are ready, the degraded ones included. */
export async function allReady(members: readonly Member[], since: number): Promise<Measures> {
  const times = await Promise.all(members.map((member) => untilLight(member, ['green', 'degraded'], READY_WITHIN_MS, since)));
  const last = times.includes(null) ? null : Math.max(0, ...times.map((ms) => ms ?? 0));
  return { readyAfterMs: measured(last, READY_WITHIN_MS) };
}
