import type { Expression, Json, Plan, PlanStep, RetryPolicy } from '#core';
import { checksumOf } from '../canonical-json.ts';
import type { CompiledDefinition, RetryDefinition, WorkflowDefinition } from '../definition.ts';
import { parseDurationMs } from '../durations.ts';
import { schemaFaults } from '../inputs/input-schema.ts';
import { DEFINITION_LIMITS } from '../limits.ts';
import { nearest } from '../nearest.ts';
import { fitsSchema } from '../schema/check-schema.ts';
import { FaultList } from '../source/fault-list.ts';
import { readSource } from '../source/read-source.ts';
import { SourceMap, type Path } from '../source/source-map.ts';
import { readingsOutside } from './ancestors.ts';
import { concurrencyKeyOf } from './concurrency-key.ts';
import { draftOf, type Draft, type StepDraft } from './draft.ts';
import { checkPatterns, expressionsOf, type StepExpressions } from './step-expressions.ts';
import { orderSteps } from './step-order.ts';
import { addWarnings } from './warnings.ts';

/** Kinds of steps that FlowForge brings along; all others are handlers, named `namespace/name`. */
export const BUILTIN_KINDS = ['http', 'transform', 'delay', 'noop'] as const;

/** What a definition leaves out. */
export const RETRY_DEFAULTS: RetryPolicy = {
  attempts: 1,
  backoffMs: 1_000,
  factor: 2,
  maxBackoffMs: 60_000,
  jitter: 0.2,
  nonRetryable: [],
};

export interface CompileOptions {
  /** Name of the file, for messages. */
  readonly file?: string;
  /** Timeout of a step that names none. */
  readonly defaultTimeoutSeconds?: number;
}

/**
 * Compiles a definition: YAML or JSON text, or an object that was parsed already (its faults have no line). Pure, and in time
 * proportional to the text. Throws `DefinitionError` with every fault that was found.
 */
export function compileDefinition(source: string | object, options: CompileOptions = {}): CompiledDefinition {
  const faults = new FaultList(options.file ?? null, NO_MAP);
  const document = documentOf(source, faults);
  faults.throwAny();
  if (document === undefined) throw new TypeError('A definition without faults has a document.');

  const draft = draftOf(document);
  const isTooWide = draft.steps.length > DEFINITION_LIMITS.stepsMax;
  if (isTooWide) addTooManySteps(draft, faults);
  const fits = fitsSchema(document, faults);
  if (isTooWide) faults.throwAny();
  const steps = checkedSteps(draft, faults);
  for (const { message, path } of draft.inputSchema === null ? [] : schemaFaults(draft.inputSchema)) {
    faults.add('input_schema_invalid', message, 'Write a JSON Schema of draft 2020-12; see "Input" in docs/definitions.md.', {
      path: ['spec', 'input', ...path],
    });
  }
  const key = draft.concurrencyKey === null ? null : concurrencyKeyOf(draft.concurrencyKey, faults);
  if (fits) checkDurations(document, faults);
  faults.throwAny();
  if (!fits || steps === null) throw new TypeError('A definition without faults fits the schema.');
  const plan = planOf(document, steps, key, options.defaultTimeoutSeconds ?? 300);
  const warnings = new FaultList(options.file ?? null, faults.map);
  addWarnings(document, warnings);
  return { definition: document, plan, checksum: checksumOf(document), warnings: warnings.inOrder() };
}

const NO_MAP = new SourceMap(null, null, new Map());

function documentOf(source: string | object, faults: FaultList): Json | undefined {
  if (typeof source === 'string') return readSource(source, faults);
  const text = jsonTextOf(source, faults);
  if (text === undefined) return undefined;
  const value = readSource(text, faults);
  faults.locateWith(NO_MAP);
  return value;
}

function jsonTextOf(source: object, faults: FaultList): string | undefined {
  try {
    return JSON.stringify(source);
  } catch {
    faults.add('schema', 'The definition is not a JSON value.', 'Pass an object without cycles and functions.');
    return undefined;
  }
}

function addTooManySteps(draft: Draft, faults: FaultList): void {
  const { stepsMax } = DEFINITION_LIMITS;
  faults.add(
    'too_many_steps',
    `The workflow has ${draft.steps.length} steps; ${stepsMax} are allowed.`,
    'Split it into several workflows.',
    { path: ['spec', 'steps'], at: 'key' },
  );
}

/** Steps in topological order, with their expressions. */
interface CheckedSteps {
  readonly drafts: readonly StepDraft[];
  readonly needs: readonly (readonly number[])[];
  readonly order: readonly number[];
  readonly expressions: readonly StepExpressions[];
  readonly placeOf: ReadonlyMap<string, number>;
}

function checkedSteps(draft: Draft, faults: FaultList): CheckedSteps | null {
  const drafts = draft.steps;
  const placeOf = new Map(drafts.map((step, place) => [step.name, place]));
  for (const step of drafts) checkKind(step, faults);
  const needs = drafts.map((step) => needsOf(step, placeOf, faults));
  const expressions = drafts.map((step) => expressionsOf(step, faults));
  checkPatterns(
    expressions.flatMap(({ condition, inputs }) => (condition === null ? inputs : [condition, ...inputs])),
    faults,
  );
  const { order, cycle } = orderSteps(needs);
  if (cycle !== null) addCycle(cycle, drafts, faults);
  checkReadings({ drafts, needs, order, expressions, placeOf }, faults);
  return order === null ? null : { drafts, needs, order, expressions, placeOf };
}

function checkKind(step: StepDraft, faults: FaultList): void {
  const { uses } = step;
  if (uses === null || isBuiltin(uses) || /^[a-z][a-z0-9-]*(\/[A-Za-z][A-Za-z0-9_.-]*)+$/.test(uses)) return;
  const near = nearest(uses, BUILTIN_KINDS);
  const hint = near === null ? '' : ` (did you mean ${near}?)`;
  faults.add(
    'step_kind_unknown',
    `Unknown step kind ${uses.slice(0, 100)}${hint}.`,
    `Use ${BUILTIN_KINDS.join(', ')}, or a handler as namespace/name.`,
    {
      path: ['spec', 'steps', step.name, 'uses'],
    },
  );
}

function isBuiltin(uses: string): boolean {
  const builtin: readonly string[] = BUILTIN_KINDS;
  return builtin.includes(uses);
}

function needsOf(step: StepDraft, placeOf: ReadonlyMap<string, number>, faults: FaultList): number[] {
  const places = new Set<number>();
  for (const [index, need] of step.needs.entries()) {
    const place = placeOf.get(need);
    if (place !== undefined) places.add(place);
    else {
      faults.add(
        'need_unknown',
        `${step.name} needs ${need.slice(0, 100)}, which is no step${hint(need, placeOf, faults)}.`,
        'Name a step of this workflow.',
        {
          path: ['spec', 'steps', step.name, 'needs', index],
        },
      );
    }
  }
  return [...places];
}

/** Looks at the first thousand names only, and not at all once the list of faults is full: hints must not cost more than the check. */
function hint(name: string, placeOf: ReadonlyMap<string, number>, faults: FaultList): string {
  const near = faults.isFull ? null : nearest(name, [...placeOf.keys()].slice(0, 1_000));
  return near === null ? '' : ` (did you mean ${near}?)`;
}

/** Names at most ten steps: a cycle of a thousand helps nobody. */
function addCycle(cycle: readonly number[], drafts: readonly StepDraft[], faults: FaultList): void {
  const names = cycle.map((place) => drafts[place]?.name ?? '');
  const shown = names.length > 10 ? [...names.slice(0, 9), '…', names.at(-1) ?? ''] : names;
  const first = names[0] ?? '';
  faults.add('cycle', `Steps wait for each other: ${[...shown, first].join(' → ')}.`, 'Remove one of these needs.', {
    path: ['spec', 'steps', first, 'needs'],
    at: 'key',
  });
}

function checkReadings(steps: Omit<CheckedSteps, 'order'> & { readonly order: readonly number[] | null }, faults: FaultList): void {
  const readings = steps.expressions.flatMap(({ condition, inputs }, reader) =>
    [...(condition === null ? [] : [condition]), ...inputs].flatMap(({ facts, path }) =>
      [...facts.steps].map((name) => ({ reader, name, path, read: steps.placeOf.get(name) ?? -1 })),
    ),
  );
  for (const { name, path } of readings.filter(({ read }) => read < 0)) {
    faults.add(
      'expression_unknown_variable',
      `There is no step ${name.slice(0, 100)}${hint(name, steps.placeOf, faults)}.`,
      'Name a step of this workflow.',
      { path },
    );
  }
  if (steps.order === null) return;
  for (const { reader, name, path } of readingsOutside(
    readings.filter(({ read }) => read >= 0),
    steps.needs,
    steps.order,
  )) {
    const step = steps.drafts[reader]?.name ?? '';
    faults.add(
      'expression_not_ancestor',
      `${step} reads steps.${name}, but does not wait for it.`,
      `Add ${name} to the needs of ${step}.`,
      { path },
    );
  }
}

/** Durations have the right form here; zero and absurd ones are left. */
function checkDurations(definition: WorkflowDefinition, faults: FaultList): void {
  const check = (text: string | undefined, path: Path, isZeroFine: boolean): void => {
    if (text === undefined) return;
    const milliseconds = parseDurationMs(text);
    const max = DEFINITION_LIMITS.durationSecondsMax * 1_000;
    if (milliseconds !== null && milliseconds <= max && (isZeroFine || milliseconds > 0)) return;
    faults.add(
      'duration_invalid',
      `${text} is not between ${isZeroFine ? '0s' : '1ms'} and ${max / 86_400_000}d.`,
      'Write a number and a unit: 250ms, 30s, 15m, 2h, 1d.',
      { path },
    );
  };
  check(definition.spec.timeout, ['spec', 'timeout'], false);
  for (const [name, step] of Object.entries(definition.spec.steps)) {
    check(step.timeout, ['spec', 'steps', name, 'timeout'], false);
    check(step.retry?.backoff, ['spec', 'steps', name, 'retry', 'backoff'], true);
    check(step.retry?.maxBackoff, ['spec', 'steps', name, 'retry', 'maxBackoff'], true);
  }
}

function planOf(definition: WorkflowDefinition, checked: CheckedSteps, key: Expression | null, defaultTimeoutSeconds: number): Plan {
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
