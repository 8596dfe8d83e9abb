/** A graph of steps by their places: `needs[i]` are the places that step i waits for. */
export type Needs = readonly (readonly number[])[];

export type StepOrder =
  | { readonly order: readonly number[]; readonly cycle: null }
  | { readonly order: null; readonly cycle: readonly number[] };

/**
 * Sorts steps so that each comes after its needs, in one walk over steps and edges. Steps keep the order in which they are declared;
 * a need that is declared later moves before the first step that waits for it. A cycle comes back as its members, in the direction
 * of the needs.
 */
export function orderSteps(needs: Needs): StepOrder {
  const order: number[] = [];
  const state = new Uint8Array(needs.length);
  // An explicit stack: a chain of 10,000 steps would overflow a recursive walk.
  const path: { step: number; next: number }[] = [];
  for (let start = 0; start < needs.length; start++) {
    if (state[start] === UNSEEN) path.push(entered(start, state));
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const need = needs[top.step]?.[top.next++];
      if (need === undefined) {
        state[top.step] = PLACED;
        order.push(top.step);
        path.pop();
      } else if (state[need] === UNSEEN) path.push(entered(need, state));
      else if (state[need] === OPEN)
        return { order: null, cycle: path.slice(path.findIndex((frame) => frame.step === need)).map((frame) => frame.step) };
    }
  }
  return { order, cycle: null };
}

const UNSEEN = 0;
const OPEN = 1;
const PLACED = 2;

function entered(step: number, state: Uint8Array): { step: number; next: number } {
  state[step] = OPEN;
  return { step, next: 0 };
}
