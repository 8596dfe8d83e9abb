/** How `eventually` waits. `within` and `every` are milliseconds; `what` names the awaited thing in the error. */
export interface Patience {
  readonly within?: number;
  readonly every?: number;
  readonly what?: string;
}

/**
 * Waits until `probe` returns something other than `undefined`, `null` or `false` without throwing, and returns it. Past the deadline
 * (5 s unless told) it throws with the last error or answer, so that a failed test says what was seen instead.
 */
export async function eventually<T>(probe: () => T | Promise<T>, patience: Patience = {}): Promise<Exclude<T, undefined | null | false>> {
  const { within = 5_000, every = 20, what = 'the condition' } = patience;
  const deadline = Date.now() + within;
  let seen = '';
  for (;;) {
    try {
      const answer = await probe();
      if (isMet(answer)) return answer;
      seen = `last answer: ${String(answer)}`;
    } catch (error) {
      seen = `last error: ${error instanceof Error ? error.message : String(error)}`;
    }
    if (Date.now() >= deadline) throw new Error(`Waited ${within} ms for ${what}; ${seen}`);
    await new Promise((resolve) => setTimeout(resolve, Math.min(every, Math.max(1, deadline - Date.now()))));
  }
}

function isMet<T>(answer: T): answer is Exclude<T, undefined | null | false> {
  return answer !== undefined && answer !== null && answer !== false;
}
