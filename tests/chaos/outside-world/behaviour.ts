/**
 * How the outside world answers while it is not well. `too-many`: 429 with Retry-After. `broken`: 500, 502, 503. `hang`: never. `drip`: a
 * byte now and then. `reset`: the connection ends before anything was done. `reset-after-effect`: it ends after the effect was booked,
 * before the answer. `partial`: half of an answer.
 */
export const MISCONDUCTS = ['too-many', 'broken', 'hang', 'drip', 'reset', 'reset-after-effect', 'partial'] as const;
export type Misconduct = (typeof MISCONDUCTS)[number];

/** `share`: of the requests that are answered so, 0 to 1; the others are answered well. */
export interface Behaviour {
  readonly misconduct: Misconduct;
  readonly share: number;
}

/** Where it is told, on the outside world's own address. */
export const BEHAVIOUR_PATH = '/behaviour';

/** Tells the outside world at this url (`world.outsideUrl`, say) how to behave from now on; null: well. For faults. */
export async function behave(outsideUrl: string, behaviour: Behaviour | null): Promise<void> {
  const response = await fetch(new URL(BEHAVIOUR_PATH, outsideUrl), {
    method: 'PUT',
    body: JSON.stringify(behaviour),
    signal: AbortSignal.timeout(5_000),
  });
  await response.arrayBuffer();
  if (response.status !== 204) throw new Error(`The outside world answered ${response.status}.`);
}
