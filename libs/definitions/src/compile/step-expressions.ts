import type { Json } from '#core';
import { isJsonList } from '../expressions/values.ts';
import { readExpression, type ExpressionFacts } from '../expressions/read-expression.ts';
import { mayHoldExpression, parseTemplate } from '../expressions/template.ts';
import { isPattern, patternWeight } from '../expressions/patterns.ts';
import { DEFINITION_LIMITS, EVALUATION_LIMITS, EXPRESSION_LIMITS } from '../limits.ts';
import type { FaultList } from '../source/fault-list.ts';
import type { Path } from '../source/source-map.ts';
import type { StepDraft } from './draft.ts';

/** An expression where it stands. */
export interface LocatedExpression {
  readonly source: string;
  readonly facts: ExpressionFacts;
  readonly path: Path;
}

export interface StepExpressions {
  readonly condition: LocatedExpression | null;
  /** Of the input. */
  readonly inputs: readonly LocatedExpression[];
  /** True when the input cannot be used as it is written: it holds expressions, or escaped ones. */
  readonly isInputTemplate: boolean;
}

/** Reads all expressions of a step and records what is wrong with them. */
export function expressionsOf(step: StepDraft, faults: FaultList): StepExpressions {
  const path: Path = ['spec', 'steps', step.name];
  const condition = conditionOf(step, [...path, 'if'], faults);
  const { inputs, isInputTemplate } = inputsOf(step.input, [...path, 'with'], faults);
  const { perStepMax } = EXPRESSION_LIMITS;
  if (inputs.length > perStepMax) {
    faults.add('expression_too_complex', `The step has ${inputs.length} expressions; ${perStepMax} are allowed.`, 'Split the step.', {
      path,
      at: 'key',
    });
  }
  if (!isInputTemplate) checkSize(step.input, [...path, 'with'], faults);
  return { condition, inputs, isInputTemplate };
}

/** An input with expressions is measured when they are evaluated; one without is sent as it is written. */
function checkSize(input: Json, path: Path, faults: FaultList): void {
  const { outputBytesMax } = EVALUATION_LIMITS;
  const bytes = Buffer.byteLength(JSON.stringify(input));
  if (bytes <= outputBytesMax) return;
  const message = `The step's input has ${bytes} bytes as JSON; ${outputBytesMax} fit into a task.`;
  faults.add('input_too_large', message, 'Store the data, and hand on where they are.', { path });
}

/** An expression alone, without or with `${{ }}` around it. */
function conditionOf(step: StepDraft, path: Path, faults: FaultList): LocatedExpression | null {
  if (step.condition === null) return null;
  return located(unwrapped(String(step.condition), path, faults), path, faults);
}

function unwrapped(text: string, path: Path, faults: FaultList): string {
  if (!mayHoldExpression(text)) return text.trim();
  const { parts, unclosed } = parseTemplate(text.trim());
  const [only] = parts;
  if (unclosed === null && parts.length === 1 && only !== undefined && 'source' in only) return only.source;
  faults.add('expression_invalid', 'A condition is one expression, without text around it.', 'Write if: "${{ … }}".', { path });
  return 'true';
}

function inputsOf(input: Json, root: Path, faults: FaultList): { inputs: LocatedExpression[]; isInputTemplate: boolean } {
  const inputs: LocatedExpression[] = [];
  let isInputTemplate = false;
  const open: { value: Json; path: Path }[] = [{ value: input, path: root }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, path } = next;
    if (typeof value === 'string' && mayHoldExpression(value)) {
      isInputTemplate = true;
      inputs.push(...textExpressions(value, path, faults));
    } else if (value !== null && typeof value === 'object') {
      const entries: [string | number, Json][] = isJsonList(value) ? [...value.entries()] : Object.entries(value);
      for (const [key, inner] of entries)
        if (inner !== null && (typeof inner === 'object' || typeof inner === 'string')) open.push({ value: inner, path: [...path, key] });
    }
  }
  return { inputs, isInputTemplate };
}

/** The expressions in a text. */
export function textExpressions(text: string, path: Path, faults: FaultList): LocatedExpression[] {
  const { parts, unclosed } = parseTemplate(text);
  if (unclosed !== null) {
    faults.add(
      'expression_invalid',
      'An expression starts with ${{ and has no end }}.',
      'Close it with }}, or write $${{ for the characters ${{.',
      { path },
    );
  }
  return parts.flatMap((part) => ('source' in part ? (located(part.source, path, faults) ?? []) : []));
}

function located(source: string, path: Path, faults: FaultList): LocatedExpression | null {
  if (faults.isFull) return null;
  const reading = readExpression(source);
  for (const fault of reading.faults) faults.add(fault.code.replace(/^definition\./, ''), fault.message, fault.remedy, { path });
  return reading.facts === null ? null : { source, facts: reading.facts, path };
}

/** Compiles the literal patterns of `matches`, as many as is quick. */
export function checkPatterns(expressions: readonly LocatedExpression[], faults: FaultList): void {
  let weight = 0;
  for (const { facts, path } of expressions) {
    for (const pattern of facts.patterns) {
      weight += patternWeight(pattern);
      if (weight > DEFINITION_LIMITS.checkedPatternWeightMax || faults.isFull) return;
      if (isPattern(pattern)) continue;
      const remedy = 'RE2 has no look-around and no back-references, and repeats at most 1,000 times.';
      faults.add('expression_invalid', `Not a regular expression of RE2: ${pattern.slice(0, 60)}.`, remedy, { path });
    }
  }
}
