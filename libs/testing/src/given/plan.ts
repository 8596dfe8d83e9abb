import type { Expression, Json, Plan, PlanStep, RetryPolicy } from '#core';

/** A step of a plan for tests: what it differs in from one without needs, conditions and retries. */
export interface GivenStep {
  /** Names of steps that stand before it. */
  readonly needs?: readonly string[];
  readonly uses?: string;
  readonly retry?: Partial<RetryPolicy>;
  /** `plain`: an `if`; `reads failed`: one that names the variable `failed`. */
  readonly condition?: 'plain' | 'reads failed';
  /** The source of the condition, and names of the steps that it looks at. */
  readonly conditionSource?: string;
  readonly conditionReads?: readonly string[];
  readonly input?: Json;
  /** Names of the steps that its input looks at; given, the input is evaluated. */
  readonly inputReads?: readonly string[];
  readonly timeoutSeconds?: number;
}

const noRetry: RetryPolicy = { attempts: 1, backoffMs: 1_000, factor: 2, maxBackoffMs: 60_000, jitter: 0, nonRetryable: [] };

/** A compiled plan of these steps, in this order: each step's needs stand before it. */
export function aPlan(steps: Readonly<Record<string, GivenStep>>, rest: Partial<Omit<Plan, 'steps' | 'roots'>> = {}): Plan {
  const names = Object.keys(steps);
  const noOf = new Map(names.map((name, at) => [name, at + 1]));
  const numbers = (of: readonly string[]) => of.map((name) => noOf.get(name) ?? unknownName(name));
  const needs = Object.values(steps).map((step) => numbers(step.needs ?? []));
  const dependents = names.map((): number[] => []);
  needs.forEach((of, at) => of.forEach((need) => dependents[need - 1]?.push(at + 1)));
  const planned = Object.entries(steps).map(([name, step], at): PlanStep => ({
    no: at + 1,
    name,
    uses: step.uses ?? 'noop',
    needs: needs[at] ?? [],
    dependents: dependents[at] ?? [],
    condition: step.condition ? conditionOf(step, numbers) : null,
    input: step.input ?? {},
    inputReads: step.inputReads ? { steps: numbers(step.inputReads), heavy: false } : null,
    retry: { ...noRetry, ...step.retry },
    timeoutSeconds: step.timeoutSeconds ?? 300,
  }));
  const roots = planned.filter((step) => step.needs.length === 0).map(({ no }) => no);
  return { steps: planned, roots, runTimeoutSeconds: null, priority: 0, concurrency: null, ...rest };
}

/** A chain of `length` steps named s1, s2, …, each alike. */
export function aChain(length: number, step: Omit<GivenStep, 'needs'> = {}): Plan {
  const names = Array.from({ length }, (_, at) => `s${at + 1}`);
  return aPlan(Object.fromEntries(names.map((name, at) => [name, { ...step, needs: names.slice(Math.max(0, at - 1), at) }])));
}

function conditionOf(step: GivenStep, numbers: (of: readonly string[]) => number[]): Expression {
  const readsFailed = step.condition === 'reads failed';
  return {
    source: step.conditionSource ?? (readsFailed ? 'failed' : 'true'),
    steps: numbers(step.conditionReads ?? []),
    readsFailed,
    heavy: false,
  };
}

function unknownName(name: string): never {
  throw new Error(`No step is named ${name}.`);
}
