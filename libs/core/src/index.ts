export type { Json } from './json.ts';
export { DomainError, assertNever, assertThat, type ErrorKind } from './errors.ts';
export * from './states.ts';
export { RUN_GRAPH, STEP_GRAPH, edgesOf, graphDifferences, graphFaults, type Edge, type StateGraph } from './graph.ts';
export type { Expression, Plan, PlanStep, RetryPolicy } from './plan.ts';
export { PERMISSIONS, ROLES, mayDo, type Permission, type Principal, type Role } from './principal.ts';
