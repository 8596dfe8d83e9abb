import type { Expression } from '#core';
import { readExpression } from '../expressions/read-expression.ts';
import { parseTemplate } from '../expressions/template.ts';
import type { FaultList } from '../source/fault-list.ts';
import { textExpressions } from './step-expressions.ts';

const PATH = ['spec', 'concurrency', 'key'];

/**
 * The key as one expression: `orders-${{ input.customer }}` becomes `"orders-" + text(input.customer)`. It is evaluated when the run is
 * submitted, so it sees input and run only.
 */
export function concurrencyKeyOf(text: string, faults: FaultList): Expression | null {
  for (const { facts } of textExpressions(text, PATH, faults)) {
    if (facts.steps.size === 0 && !facts.readsFailed) continue;
    faults.add('expression_unknown_variable', 'The concurrency key is made before any step runs.', 'Use input and run only.', {
      path: PATH,
    });
  }
  const { parts } = parseTemplate(text);
  const source = parts.map((part) => ('text' in part ? celText(part.text) : `text(${part.source})`)).join(' + ');
  const { facts } = readExpression(source);
  if (facts !== null) return { source, steps: [], readsFailed: false, heavy: facts.heavy };
  if (faults.isEmpty)
    faults.add('expression_invalid', 'The concurrency key is too long.', 'Shorten it to fewer than 4,000 characters.', { path: PATH });
  return null;
}

/** A CEL string literal: JSON's escapes are CEL's, but for the slash, which JSON.stringify leaves alone. */
function celText(text: string): string {
  return JSON.stringify(text);
}
