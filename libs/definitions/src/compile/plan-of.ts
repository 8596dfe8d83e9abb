import type { Expression, Plan, PlanStep, RetryPolicy } from '#core';
import type { RetryDefinition, WorkflowDefinition } from '../definition.ts';
import { parseDurationMs } from '../durations.ts';
import type { CheckedSteps } from './check-steps.ts';

/** What a definition leaves out. */
export const RETRY_DEFAULTS: RetryPolicy = {
  attempts: 1,
  backoffMs: 1_000,
  factor: 2,
  maxBackoffMs: 60_000,
  jitter: 0.2,
  nonRetryable: [],
};

/** The plan of a definition without faults. */
export function planOf(definition: WorkflowDefinition, checked: CheckedSteps, key: Expression | null, defaultTimeoutSeconds: number): Plan {
  const noOf = new Int32Array(checked.drafts.length);
  for (const [index, place] of checked.order.entries()) noOf[place] = index + 1;
  const numbersOf = (places: Iterable<number>): number[] =>
    Array.from(places, (place) => noOf[place] ?? 0).sort((left, right) => left - right);
  const dependents: number[][] = checked.drafts.map(() => []);
  for (const [place, needs] of checked.needs.entries()) for (const need of needs) dependents[need]?.push(place);
  const steps = checked.order.map((place, index) =>
    planStep(index + 1, place, definition, checked, numbersOf, dependents[place] ?? [], defaultTimeoutSeconds),
  );
  const { timeout, priority, concurrency } = definition.spec;
  return {
    steps,
    roots: steps.filter((step) => step.needs.length === 0).map((step) => step.no),
    runTimeoutSeconds: timeout === undefined ? null : secondsOf(timeout),
    priority: priority ?? 0,
    concurrency: concurrency === undefined ? null : { key, limit: concurrency.limit },
  };
}

function planStep(
  no: number,
  place: number,
  definition: WorkflowDefinition,
  checked: CheckedSteps,
  numbersOf: (places: Iterable<number>) => number[],
  dependents: readonly number[],
  defaultTimeoutSeconds: number,
): PlanStep {
  const draft = checked.drafts[place];
  const expressions = checked.expressions[place];
  const step = draft === undefined ? undefined : definition.spec.steps[draft.name];
  if (draft === undefined || expressions === undefined || step === undefined) throw new TypeError(`Step ${no} is missing.`);
  const placesOf = (names: Iterable<string>): number[] => Array.from(names, (name) => checked.placeOf.get(name) ?? 0);
  const { condition, inputs, isInputTemplate } = expressions;
  const readNames = new Set(inputs.flatMap(({ facts }) => [...facts.steps]));
  return {
    no,
    name: draft.name,
    uses: step.uses,
    needs: numbersOf(checked.needs[place] ?? []),
    dependents: numbersOf(dependents),
    condition:
      condition === null
        ? null
        : {
            source: condition.source,
            steps: numbersOf(placesOf(condition.facts.steps)),
            readsFailed: condition.facts.readsFailed,
            heavy: condition.facts.heavy,
          },
    input: draft.input,
    inputReads: isInputTemplate ? { steps: numbersOf(placesOf(readNames)), heavy: inputs.some(({ facts }) => facts.heavy) } : null,
    retry: retryOf(step.retry),
    timeoutSeconds: step.timeout === undefined ? defaultTimeoutSeconds : secondsOf(step.timeout),
  };
}

function retryOf(retry: RetryDefinition | undefined): RetryPolicy {
  return {
    attempts: retry?.attempts ?? RETRY_DEFAULTS.attempts,
    backoffMs: retry?.backoff === undefined ? RETRY_DEFAULTS.backoffMs : secondsOf(retry.backoff) * 1_000,
    factor: retry?.factor ?? RETRY_DEFAULTS.factor,
    maxBackoffMs: retry?.maxBackoff === undefined ? RETRY_DEFAULTS.maxBackoffMs : secondsOf(retry.maxBackoff) * 1_000,
    jitter: retry?.jitter ?? RETRY_DEFAULTS.jitter,
    nonRetryable: retry?.nonRetryable ?? RETRY_DEFAULTS.nonRetryable,
  };
}

function secondsOf(duration: string): number {
  return (parseDurationMs(duration) ?? 0) / 1_000;
}
