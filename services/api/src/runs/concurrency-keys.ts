import type { Evaluator, ExpressionScope, ValueEvaluation } from '#definitions';

/** Evaluates concurrency keys. The language of expressions is loaded with the first of them: few workflows have any. */
export class ConcurrencyKeys {
  private evaluator: Promise<Evaluator> | undefined;

  /** Rejects like `Evaluator.evaluateExpression`. */
  async evaluate(source: string, scope: ExpressionScope): Promise<ValueEvaluation> {
    this.evaluator ??= open();
    return (await this.evaluator).evaluateExpression(source, scope);
  }

  /** Ends its threads. Safe to call twice. */
  async close(): Promise<void> {
    await (await this.evaluator)?.close();
  }
}

async function open(): Promise<Evaluator> {
  const { createEvaluator } = await import('#definitions');
  return createEvaluator();
}
