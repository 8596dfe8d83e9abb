import type { Rules } from '../database/rules.ts';
import { Random } from '../virtual/random.ts';
import type { WorldPlain } from '../world/world.ts';
import type { ScopeSettings } from './scope-settings.ts';
import { ScopeWorld } from './scope-world.ts';

/** A way through the choices: each node chooses one more. */
interface Way {
  readonly before: Way | null;
  readonly chosen: number;
}

export interface Exploration {
  readonly states: number;
  readonly executions: number;
  readonly steps: number;
  /** Paths that came to rest. */
  readonly rests: number;
  /** False: the bound on states ended it. */
  readonly isComplete: boolean;
  readonly violation: { readonly what: string; readonly way: readonly string[] } | null;
}

/** More steps than any way to rest takes. */
const STEPS_MAX = 600;

/**
 * Tries every choice in every state. A way is walked again from the beginning, for promises cannot be put back; it ends at rest, or in
 * a state that was seen before: from there on everything is known, also that it comes to rest.
 */
export async function explore(settings: ScopeSettings, broken: Rules, plain: WorldPlain, statesMax: number): Promise<Exploration> {
  const seen = new Set<string>();
  const open: Way[] = [{ before: null, chosen: -1 }];
  const count = { executions: 0, steps: 0, rests: 0 };
  const random = new Random(1);
  for (let way = anyOf(open, random); way && seen.size < statesMax; way = anyOf(open, random)) {
    const world = new ScopeWorld(settings, broken, plain);
    const violation = await world.kernel.host(() => walk(world, way, seen, open, count));
    count.executions += 1;
    if (violation) return { states: seen.size, ...count, isComplete: false, violation };
  }
  return { states: seen.size, ...count, isComplete: open.length === 0, violation: null };
}

/** Takes any of the open ways: where a bound ends the exploration, it has looked everywhere a little, not only behind the last choices. */
function anyOf(open: Way[], random: Random): Way | undefined {
  const at = random.int(0, Math.max(0, open.length - 1));
  const last = open.at(-1);
  const way = open[at];
  if (last) open[at] = last;
  open.pop();
  return way;
}

async function walk(
  world: ScopeWorld,
  way: Way,
  seen: Set<string>,
  open: Way[],
  count: { steps: number; rests: number },
): Promise<Exploration['violation']> {
  const told: string[] = [];
  const mine = new Set<string>();
  const given = choicesOf(way);
  await world.begin();
  let here: Way | null = way.before === null ? null : way;
  for (let step = 0; step < STEPS_MAX; step += 1) {
    const isReplay = step < given.length;
    if (!isReplay) {
      const found = judge(world, told);
      if (found) return found;
      if (world.isAtRest) {
        count.rests += 1;
        return null;
      }
      const print = world.fingerprint();
      if (mine.has(print)) return { what: 'it goes round in a circle', way: told };
      if (seen.has(print)) return null;
      seen.add(print);
      mine.add(print);
    }
    const choices = world.choices();
    if (!isReplay) for (let other = choices.length - 1; other > 0; other -= 1) open.push({ before: here ?? ROOT, chosen: other });
    const chosen = given[step] ?? 0;
    const choice = choices[chosen];
    if (!choice) throw new Error('A way cannot be walked a second time.');
    told.push(choice.label);
    await choice.run();
    count.steps += 1;
    if (!isReplay) here = { before: here ?? ROOT, chosen };
  }
  return { what: 'it does not come to rest', way: told };
}

const ROOT: Way = { before: null, chosen: -1 };

function choicesOf(way: Way): number[] {
  const chosen: number[] = [];
  for (let at: Way | null = way; at !== null; at = at.before) if (at.chosen >= 0) chosen.push(at.chosen);
  return chosen.toReversed();
}

function judge(world: ScopeWorld, way: readonly string[]): Exploration['violation'] {
  const [violation] = world.checker.violations;
  if (violation) return { what: `${violation.invariant} ${violation.what}`, way };
  const [failure] = world.kernel.failures;
  return failure === undefined ? null : { what: failure, way };
}
