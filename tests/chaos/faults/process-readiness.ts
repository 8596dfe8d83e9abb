import { setTimeout as sleep } from 'node:timers/promises';
import type { Member, ReadinessSeen } from '../world/types.ts';

const LOOK_EVERY_MS = 100;

/** `ready` answers 200 and lacks nothing; `degraded` answers 200 and says what it lacks; `red` answers otherwise, or nobody does. */
export type Light = 'green' | 'degraded' | 'red';

export function lightOf({ status, body }: ReadinessSeen): Light {
  if (status !== 200) return 'red';
  return typeof body === 'object' && body !== null && 'status' in body && body.status === 'degraded' ? 'degraded' : 'green';
}

/** Looks at the member's `/ready` until it shows one of these lights. Milliseconds since `since`; null when it has not within `withinMs`. */
export async function untilLight(
  member: Member,
  lights: readonly Light[],
  withinMs: number,
  since = performance.now(),
): Promise<number | null> {
  const until = performance.now() + withinMs;
  do {
    const seen = await member.ready().catch((): ReadinessSeen => ({ status: 0, body: null }));
    if (lights.includes(lightOf(seen))) return Math.round(performance.now() - since);
    await sleep(LOOK_EVERY_MS);
  } while (performance.now() < until);
  return null;
}

/** A measured time as a journal takes it. */
export function measured(ms: number | null, withinMs: number): number | string {
  return ms ?? `not within ${withinMs} ms`;
}
