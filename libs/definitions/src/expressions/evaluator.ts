import { DomainError, type Json, type PlanStep } from '#core';
import { EVALUATION_LIMITS } from '../limits.ts';
import {
  compiledExpression,
  errorResult,
  evaluateHere,
  type EvaluationResult,
  type EvaluationTask,
  type ExpressionScope,
} from './evaluate.ts';
import { mayHoldExpression, parseTemplate } from './template.ts';
import { ThreadPool } from './thread-pool.ts';
import { isJsonList } from './values.ts';

/** `run`: the step starts with this input. `skip`: it is left out. `error`: it fails with a code `expression.*`. */
export type StepEvaluation = EvaluationResult;

export type ValueEvaluation =
  | { readonly kind: 'value'; readonly value: Json }
  | { readonly kind: 'error'; readonly code: string; readonly message: string };

export interface Evaluator {
  /**
   * Decides whether a step runs and with which input. Pure: the same step and scope give the same answer. Rejects only with an outage
   * (`expression.busy`, `expression.closed`, `expression.thread_failed`): the step has not failed then, ask again.
   */
  evaluateStep(step: PlanStep, scope: ExpressionScope): Promise<StepEvaluation>;
  /** Evaluates one expression, such as a concurrency key. Rejects like `evaluateStep`. */
  evaluateExpression(source: string, scope: ExpressionScope): Promise<ValueEvaluation>;
  /** Ends the threads. Safe to call twice. */
  close(): Promise<void>;
}

export interface EvaluatorOptions {
  /** Processor time that the expressions of one step may take, in milliseconds. */
  readonly deadlineMs?: number;
  readonly threads?: number;
  /** Evaluations that may wait for a thread. */
  readonly queueMax?: number;
  /** Size of a step's evaluated input, as JSON. */
  readonly outputBytesMax?: number;
}

/** What the expressions of a step cost, found once per step of a plan. */
interface Cost {
  readonly heavy: boolean;
  readonly linearOperations: number;
  readonly readsInput: boolean;
}

const FREE: Cost = { heavy: false, linearOperations: 0, readsInput: false };

/**
 * Makes an evaluator. Expressions whose work is bounded run in this thread; those with macros, searches or much data run in a thread
 * of their own that is terminated at the deadline. The threads start with the first such expression.
 */
export function createEvaluator(options: EvaluatorOptions = {}): Evaluator {
  const limits = { ...EVALUATION_LIMITS, ...options };
  const pool = new ThreadPool({ ...limits, wallMs: limits.deadlineMs * limits.wallFactor });
  const costs = new WeakMap<PlanStep, Cost>();

  const evaluate = async (task: EvaluationTask, cost: Cost): Promise<EvaluationResult> => {
    const inline = !cost.heavy && workOf(cost, task.scope, limits.inlineWorkMax) <= limits.inlineWorkMax;
    return inline ? evaluateHere(task) : pool.run(task);
  };

  return {
    async evaluateStep(step, scope) {
      const { condition } = step;
      if (scope.failed && condition?.readsFailed !== true) return { kind: 'skip' };
      if (condition === null && step.inputReads === null) return { kind: 'run', input: step.input };
      try {
        const cost = costs.get(step) ?? costOfStep(step);
        costs.set(step, cost);
        const task = { condition: condition?.source ?? null, value: { input: step.input }, scope, outputBytesMax: limits.outputBytesMax };
        return await evaluate(task, cost);
      } catch (error) {
        return errorOf(error);
      }
    },
    async evaluateExpression(source, scope) {
      try {
        const result = await evaluate(
          { condition: null, value: { source }, scope, outputBytesMax: limits.outputBytesMax },
          compiledExpression(source).facts,
        );
        return result.kind === 'run' ? { kind: 'value', value: result.input } : notSkipped(result);
      } catch (error) {
        return notSkipped(errorOf(error));
      }
    },
    close: async () => pool.close(),
  };
}

/** Outages of the threads go to the caller, everything else is an answer. */
function errorOf(error: unknown): EvaluationResult {
  if (error instanceof DomainError) throw error;
  return errorResult(error);
}

function notSkipped(result: EvaluationResult): ValueEvaluation {
  return result.kind === 'error' ? result : { kind: 'error', code: 'expression.failed', message: 'The expression has no value.' };
}

function costOfStep(step: PlanStep): Cost {
  const sources = step.condition === null ? [] : [step.condition.source];
  const open: Json[] = [step.input];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value === 'string') sources.push(...sourcesOf(value));
    else if (value !== null && typeof value === 'object') open.push(...(isJsonList(value) ? value : Object.values(value)));
  }
  return sources.map((source) => compiledExpression(source).facts).reduce(sumOf, FREE);
}

function sourcesOf(text: string): string[] {
  if (!mayHoldExpression(text)) return [];
  return parseTemplate(text).parts.flatMap((part) => ('source' in part ? [part.source] : []));
}

function sumOf(total: Cost, cost: Cost): Cost {
  return {
    heavy: total.heavy || cost.heavy,
    linearOperations: total.linearOperations + cost.linearOperations,
    readsInput: total.readsInput || cost.readsInput,
  };
}

/** Operations that read data whole × characters of data; counting stops above the limit. */
function workOf(cost: Cost, scope: ExpressionScope, max: number): number {
  if (cost.linearOperations === 0) return 0;
  const data: Json[] = [...Object.values(scope.steps).map((step) => step.output), ...(cost.readsInput ? [scope.input] : [])];
  const sizeMax = max / cost.linearOperations;
  let size = 0;
  for (let value = data.pop(); value !== undefined && size <= sizeMax; value = data.pop()) {
    if (typeof value === 'string') size += value.length;
    else if (value === null || typeof value !== 'object') size += 8;
    else {
      const inner: readonly Json[] = isJsonList(value) ? value : Object.values(value);
      size += inner.length * 8;
      if (size <= sizeMax) for (const item of inner) data.push(item);
    }
  }
  return size * cost.linearOperations;
}
