import { nearest } from '../nearest.ts';
import type { FaultList } from '../source/fault-list.ts';
import { readingsOutside } from './ancestors.ts';
import type { Draft, StepDraft } from './draft.ts';
import { checkPatterns, expressionsOf, type StepExpressions } from './step-expressions.ts';
import { orderSteps } from './step-order.ts';

/** Kinds of steps that FlowForge brings along; all others are handlers, named `namespace/name`. */
export const BUILTIN_KINDS = ['http', 'transform', 'delay', 'noop'] as const;

/** Steps in topological order, with their expressions. */
export interface CheckedSteps {
  readonly drafts: readonly StepDraft[];
  readonly needs: readonly (readonly number[])[];
  readonly order: readonly number[];
  readonly expressions: readonly StepExpressions[];
  readonly placeOf: ReadonlyMap<string, number>;
}

/** Checks kinds, needs, cycles and expressions. Null when there is no order; every fault is recorded. */
export function checkedSteps(draft: Draft, faults: FaultList): CheckedSteps | null {
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
