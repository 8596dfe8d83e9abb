/** Definitions of workflows: from text to a plan, and the expressions in between. Reference: docs/definitions.md. */
export { BUILTIN_KINDS } from './compile/check-steps.ts';
export { compileDefinition, type CompileOptions } from './compile/compile-definition.ts';
export { RETRY_DEFAULTS } from './compile/plan-of.ts';
export type { CompiledDefinition, RetryDefinition, StepDefinition, WorkflowDefinition } from './definition.ts';
export { DefinitionError, describeFault, type DefinitionFault } from './definition-error.ts';
export { canonicalJson, checksumOf } from './canonical-json.ts';
export { parseDurationMs } from './durations.ts';
export type { ExpressionScope } from './expressions/evaluate.ts';
export {
  createEvaluator,
  type Evaluator,
  type EvaluatorOptions,
  type StepEvaluation,
  type ValueEvaluation,
} from './expressions/evaluator.ts';
export { compileInputSchema, inputFaults, type InputFault, type InputSchema } from './inputs/input-schema.ts';
export { DEFINITION_LIMITS, EVALUATION_LIMITS, EXPRESSION_LIMITS, INPUT_SCHEMA_LIMITS } from './limits.ts';
export { flowforgeSchema } from './schema/check-schema.ts';
