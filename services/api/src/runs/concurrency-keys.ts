import type { Evaluator, ExpressionScope, ValueEvaluation } from '#definitions';

/** Evaluates concurrency keys. The language of expressions is loaded with the first of them: few workflows have any. */
export class ConcurrencyKeys {
  private evaluator: Promise<Evaluator> | undefined;

  /** Rejects like `Evaluator.evaluateExpression`, or because the language could not be loaded: the next key tries again. */
  async evaluate(source: string, scope: ExpressionScope): Promise<ValueEvaluation> {
    this.evaluator ??= this.open();
    return (await this.evaluator).evaluateExpression(source, scope);
  }

  /** Ends its threads. Safe to call twice. */
  async close(): Promise<void> {
    const evaluator = await this.evaluator?.catch(() => undefined);
    await evaluator?.close();
  }

  private async open(): Promise<Evaluator> {
    try {
      const { createEvaluator } = await import('#definitions');
      return createEvaluator();
    } catch (error) {
      this.evaluator = undefined;
      throw error;
    }
  }
}
