import type { Medians } from '../figures.ts';

/** One thing that a goal asks for, as a number of one run of the bench. */
export interface Criterion {
  readonly what: string;
  readonly bound: { readonly atLeast: number } | { readonly atMost: number };
  readonly unit: '×' | 'µs' | 'ms' | 'ns' | 'B' | 'MB' | '';
  /** Undefined: it was not measured in this run. */
  readonly seen: (medians: Medians) => number | undefined;
}

export interface Goal {
  /** `P1` … as docs/performance.md numbers them. */
  readonly id: string;
  readonly title: string;
  readonly criteria: readonly Criterion[];
}

type Seen = Criterion['seen'];

export function atLeast(least: number, unit: Criterion['unit'], what: string, seen: Seen): Criterion {
  return { what, bound: { atLeast: least }, unit, seen };
}

export function atMost(most: number, unit: Criterion['unit'], what: string, seen: Seen): Criterion {
  return { what, bound: { atMost: most }, unit, seen };
}

/** What became of a criterion. `met` null: not measured. */
export interface Verdict {
  readonly id: string;
  readonly title: string;
  readonly what: string;
  readonly goal: string;
  readonly seen: number | null;
  readonly unit: Criterion['unit'];
  readonly met: boolean | null;
}

export function judge(goals: readonly Goal[], medians: Medians): Verdict[] {
  return goals.flatMap(({ id, title, criteria }) =>
    criteria.map(({ what, bound, unit, seen }) => {
      const value = seen(medians) ?? null;
      const goal = 'atLeast' in bound ? `≥ ${bound.atLeast} ${unit}` : `≤ ${bound.atMost} ${unit}`;
      return { id, title, what, goal: goal.trim(), seen: value, unit, met: value === null ? null : isMet(value, bound) };
    }),
  );
}

/** Another call of the bench, as its JSON file tells it. */
export interface EarlierCall {
  readonly command: string;
  readonly at: string;
  readonly goals: readonly Verdict[];
}

/** The verdicts with those that are missing taken from earlier calls, the first that has them, and a line about each call that helped. */
export function completed(
  verdicts: readonly Verdict[],
  earlier: readonly EarlierCall[],
): { readonly goals: readonly Verdict[]; readonly notes: readonly string[] } {
  const taken = new Map<EarlierCall, Set<string>>();
  const goals = verdicts.map((verdict) => {
    if (verdict.met !== null) return verdict;
    for (const call of earlier) {
      const found = call.goals.find(({ id, what, met }) => id === verdict.id && what === verdict.what && met !== null);
      if (!found) continue;
      taken.set(call, (taken.get(call) ?? new Set()).add(found.id));
      return { ...verdict, seen: found.seen, met: found.met };
    }
    return verdict;
  });
  const notes = [...taken].map(([{ command, at }, ids]) => `${[...ids].join(', ')} by another call: ${command} (${at}).`);
  return { goals, notes };
}

function isMet(value: number, bound: Criterion['bound']): boolean {
  return 'atLeast' in bound ? value >= bound.atLeast : value <= bound.atMost;
}

/** Names a median: system, workload, value. */
export type Named = readonly [system: string, workload: string, name: string];

export const ours = (workload: string, name: string): Named => ['flowforge', workload, name];
export const limit = (workload: string, name: string): Named => ['limit', workload, name];

export function valueOf([system, workload, name]: Named): Seen {
  return (medians) => medians.find(system, workload, name);
}

/** One median over another; undefined when either was not measured. */
export function ratio(above: Named | Seen, below: Named | Seen): Seen {
  return (medians) => {
    const [upper, lower] = [readOf(above)(medians), readOf(below)(medians)];
    return upper === undefined || lower === undefined || lower === 0 ? undefined : upper / lower;
  };
}

/** The highest (rates) or lowest (times) of what several systems showed, of those that were measured. */
export function best(systems: readonly string[], workload: string, name: string, order: 'highest' | 'lowest' = 'highest'): Seen {
  return (medians) => {
    const values = systems.flatMap((system) => medians.find(system, workload, name) ?? []);
    if (values.length === 0) return undefined;
    return order === 'highest' ? Math.max(...values) : Math.min(...values);
  };
}

/** A sum of medians, each so many times. */
export function sum(...terms: readonly (readonly [times: number, of: Named])[]): Seen {
  return (medians) => {
    const values = terms.map(([times, named]) => times * (valueOf(named)(medians) ?? Number.NaN));
    const total = values.reduce((all, value) => all + value, 0);
    return Number.isNaN(total) ? undefined : total;
  };
}

function readOf(of: Named | Seen): Seen {
  return typeof of === 'function' ? of : valueOf(of);
}
