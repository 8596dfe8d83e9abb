export { defineHandlers, defineStep, handlersOf } from './define-step.ts';
export type { StepContext, StepDefinition, StepHandler, StepLog } from './define-step.ts';
export { StepFailure, nonRetryable, reportableText, stepErrorOf } from './failure.ts';
export type { AcceptedBy, ResultOf, StepSchema } from './schema.ts';
export { testStep, type LoggedLine } from './test-step.ts';
