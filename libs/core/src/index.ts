export type { Json } from './json.ts';
export { DomainError, assertNever, assertThat, type ErrorKind } from './errors.ts';
export * from './states.ts';
export { RUN_GRAPH, STEP_GRAPH, edgesOf, graphDifferences, graphFaults, type Edge, type StateGraph } from './graph.ts';
export { readsOf, type Expression, type Plan, type PlanStep, type RetryPolicy } from './plan.ts';
export { PERMISSIONS, ROLES, mayDo, type Permission, type Principal, type Role } from './principal.ts';
export { parseDuration } from './duration.ts';
export { idAt, momentOf, newRunId } from './run-id.ts';
export { decideRun } from './advance/decide-run.ts';
export { delayDue } from './advance/decide-ready.ts';
export { isRetried, retryDelayMs } from './advance/retry.ts';
export * from './advance/run-decision.ts';
export { SKIP_REASONS, sameToken } from './advance/run-view.ts';
export type { DecisionLimits, RunEvent, RunView, SkipReason, StepErrorView, StepEvaluation, StepView, Token } from './advance/run-view.ts';
export { reusableSteps } from './advance/reuse.ts';
export {
  DEFAULT_DEPLOYMENT_KEY,
  assertEnvironmentName,
  assertTeamName,
  deploymentKey,
  deploymentTable,
  resolveDeployment,
  type DeploymentResolution,
  type DeploymentTable,
  type DeploymentTarget,
  type DeploymentTier,
  type DeploymentWish,
  type TriedRule,
} from './resolve-deployment.ts';
export { decideAdmission, type AdmissionDecision, type AdmissionLimits, type QueuedRun } from './admission/decide-admission.ts';
