import { celEnv, isCelError, parse, plan, type CelInput, type CelValue } from '@bufbuild/cel';
import { EXPRESSION_LIMITS } from '../limits.ts';
import { ExpressionError } from './expression-fault.ts';
import { flowforgeFunctions } from './functions.ts';
import { compiledPattern } from './patterns.ts';
import { rewriteMacros } from './rewrite-macros.ts';

/** What every expression may name. */
export const VARIABLES = ['input', 'steps', 'run', 'failed'] as const;
export const STEP_MEMBERS = ['output', 'state'] as const;
export const RUN_MEMBERS = ['id', 'workflow', 'version', 'environment', 'team', 'attemptOf'] as const;
/** Type names of CEL, for `type(x) == string`. */
export const TYPE_NAMES: ReadonlySet<string> = new Set([
  'int',
  'uint',
  'double',
  'bool',
  'string',
  'bytes',
  'list',
  'map',
  'null_type',
  'type',
]);

const standard = celEnv();
const messageText = plan(standard, parse('string(value)').expr);

/** The text of a timestamp or duration, as CEL's own `string()` writes it. */
export function textOfMessage(value: CelValue): string {
  const text = messageText({ value });
  if (typeof text === 'string') return text;
  throw new ExpressionError('expression.not_json', 'The result is no JSON value.');
}

const environment = celEnv({ funcs: flowforgeFunctions(textOfMessage), re2: { compile: compiledPattern } });

/** Functions that an expression may call by name; operators have names with `_` or `@` and come from the grammar. */
export const FUNCTION_NAMES: ReadonlySet<string> = new Set(
  Array.from(environment.funcs, (func) => func.name).filter((name) => /^[A-Za-z]/.test(name)),
);

/** A compiled expression: evaluates without changing its variables, as often as wanted. Throws `ExpressionError`. */
export type Evaluate = (variables: Readonly<Record<string, CelInput>>) => CelValue;

/** Compiles an expression that `readExpression` has accepted. */
export function compileSource(source: string): Evaluate {
  const { expr } = parse(source);
  rewriteMacros(expr, EXPRESSION_LIMITS.nodesMax);
  const evaluate = plan(environment, expr);
  return (variables) => {
    const result = evaluate(variables);
    if (!isCelError(result)) return result;
    if (result.cause instanceof ExpressionError) throw result.cause;
    throw new ExpressionError('expression.failed', result.message);
  };
}
