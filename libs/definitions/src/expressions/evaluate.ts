import { types } from 'node:util';
import { celMap, type CelInput } from '@bufbuild/cel';
import type { Json } from '#core';
import { BoundedCache } from '../bounded-cache.ts';
import { EVALUATION_LIMITS } from '../limits.ts';
import { ExpressionError } from './expression-fault.ts';
import { compileSource, textOfMessage, type Evaluate } from './language.ts';
import { readExpression, type ExpressionFacts } from './read-expression.ts';
import { mayHoldExpression, parseTemplate } from './template.ts';
import { celOfJson, isJsonList, jsonOfCel, roomOf, spend, spendText, type Room } from './values.ts';

/** What expressions may look at. `steps` holds at least the steps that the evaluated expressions name. */
export interface ExpressionScope {
  readonly input: Json;
  readonly steps: Readonly<Record<string, { readonly output: Json; readonly state: string }>>;
  /** id, workflow, version, environment, team, attemptOf. */
  readonly run: Readonly<Record<string, Json>>;
  /** True when a need of the step failed. */
  readonly failed: boolean;
}

/** Work for one evaluation: a condition first, then an input or a single expression. Plain data: it crosses to a thread. */
export interface EvaluationTask {
  readonly condition: string | null;
  readonly value: { readonly input: Json } | { readonly source: string };
  readonly scope: ExpressionScope;
  readonly outputBytesMax: number;
}

/** `skip`: the condition was false. `error`: the code starts with `expression.`; the message names no data. */
export type EvaluationResult =
  | { readonly kind: 'run'; readonly input: Json }
  | { readonly kind: 'skip' }
  | { readonly kind: 'error'; readonly code: string; readonly message: string };

interface Compiled {
  readonly facts: ExpressionFacts;
  readonly evaluate: Evaluate;
}

const compiled = new BoundedCache<Compiled>(EVALUATION_LIMITS.cachedExpressionsMax);

/** The compiled form of a source, kept for the next evaluation. Throws `ExpressionError` for one that publishing would refuse. */
export function compiledExpression(source: string): Compiled {
  return compiled.get(source, () => {
    const reading = readExpression(source);
    if (reading.facts === null) throw new ExpressionError('expression.invalid', reading.faults[0]?.message ?? 'The expression is invalid.');
    return { facts: reading.facts, evaluate: compileSource(source) };
  });
}

/** Evaluates in this thread, for as long as it takes. */
export function evaluateHere(task: EvaluationTask): EvaluationResult {
  try {
    const variables = variablesOf(task.scope);
    if (task.condition !== null && !isTrue(task.condition, variables)) return { kind: 'skip' };
    const room = roomOf({ outputBytesMax: task.outputBytesMax, depthMax: EVALUATION_LIMITS.depthMax });
    const input = 'source' in task.value ? valueOf(task.value.source, variables, room) : evaluateInput(task.value.input, variables, room);
    return { kind: 'run', input };
  } catch (error) {
    return errorResult(error);
  }
}

/** The answer for an error of an evaluation. Its message can be stored: expressions may have put any character and any length into it. */
export function errorResult(error: unknown): EvaluationResult {
  const result = resultOf(error);
  const message = result.message.replaceAll('\u0000', '\u2400');
  const { messageCharactersMax } = EVALUATION_LIMITS;
  const cut = message.length > messageCharactersMax ? `${message.slice(0, messageCharactersMax - 1)}…` : message;
  return { ...result, message: cut.toWellFormed() };
}

function resultOf(error: unknown): EvaluationResult & { readonly kind: 'error' } {
  if (error instanceof ExpressionError) return { kind: 'error', code: error.code, message: error.message };
  // Not `instanceof`: the copy to a thread throws an error of Node's own realm, which differs from a test's.
  const message = types.isNativeError(error) ? error.message : 'unknown error';
  const isOverflow = types.isNativeError(error) && error.name === 'RangeError';
  if (isOverflow)
    return { kind: 'error', code: 'expression.too_large', message: 'The data are too large or nested too deeply to be evaluated.' };
  // A fault of the library or ours, and the same one at every try: the step fails, it is not asked again for ever.
  return { kind: 'error', code: 'expression.failed', message: `The evaluation broke: ${message}` };
}

type Variables = Readonly<Record<string, CelInput>>;

function variablesOf(scope: ExpressionScope): Variables {
  // Without a prototype: an expression must not find what a JavaScript object inherits.
  const variables: Record<string, CelInput> = Object.create(null);
  const steps = new Map(Object.entries(scope.steps).map(([name, step]) => [name, celOfJson({ output: step.output, state: step.state })]));
  return Object.assign(variables, { input: celOfJson(scope.input), steps: celMap(steps), run: celOfJson(scope.run), failed: scope.failed });
}

function isTrue(source: string, variables: Variables): boolean {
  const result = run(source, variables);
  if (typeof result === 'boolean') return result;
  throw new ExpressionError('expression.not_boolean', `The condition ${excerpt(source)} is neither true nor false.`);
}

function valueOf(source: string, variables: Variables, room: Room): Json {
  return jsonOfCel(run(source, variables), room, textOfMessage);
}

function run(source: string, variables: Variables): ReturnType<Evaluate> {
  try {
    return compiledExpression(source).evaluate(variables);
  } catch (error) {
    if (error instanceof ExpressionError && error.code === 'expression.failed')
      throw new ExpressionError(error.code, `${excerpt(source)}: ${error.message}`);
    throw error;
  }
}

function evaluateInput(value: Json, variables: Variables, room: Room): Json {
  if (typeof value === 'string') return evaluateText(value, variables, room);
  if (value === null || typeof value !== 'object') return spend(room, 8, value);
  if (isJsonList(value)) return value.map((item) => evaluateInput(item, variables, room));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [spendText(room, key), evaluateInput(item, variables, room)]));
}

/** One expression alone keeps its type; with text around it, it is written into the text. */
function evaluateText(text: string, variables: Variables, room: Room): Json {
  if (!mayHoldExpression(text)) return spendText(room, text);
  const { parts, unclosed } = parseTemplate(text);
  const [only] = parts;
  if (unclosed !== null) throw new ExpressionError('expression.invalid', 'An expression has no end }}.');
  if (parts.length === 1 && only !== undefined && 'source' in only) return valueOf(only.source, variables, room);
  return parts.map((part) => ('text' in part ? spendText(room, part.text) : textOf(valueOf(part.source, variables, room)))).join('');
}

function textOf(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function excerpt(source: string): string {
  return source.length > 120 ? `${source.slice(0, 119)}…` : source;
}
