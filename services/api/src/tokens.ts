/** What is injected and has no class of its own. */
export const READINESS_CHECKS = Symbol('readiness checks');
export const OPENAPI = Symbol('openapi');
