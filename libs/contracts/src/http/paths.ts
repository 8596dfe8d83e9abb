/** Paths of the API, each made from what it names. `publicPaths` need no token. */
const root = '/api/v1';
const run = (id: string) => `${root}/runs/${encodeURIComponent(id)}`;
const workflow = (id: string) => `${root}/workflows/${encodeURIComponent(id)}`;

export const paths = {
  workflows: `${root}/workflows`,
  workflow,
  versions: (workflowId: string) => `${workflow(workflowId)}/versions`,
  version: (workflowId: string, version: number) => `${workflow(workflowId)}/versions/${version}`,
  workflowRuns: (workflowId: string) => `${workflow(workflowId)}/runs`,
  runs: `${root}/runs`,
  runsBatch: `${root}/runs:batch`,
  run,
  steps: (runId: string) => `${run(runId)}/steps`,
  step: (runId: string, step: string | number) => `${run(runId)}/steps/${encodeURIComponent(step)}`,
  transitions: (runId: string) => `${run(runId)}/transitions`,
  logs: (runId: string) => `${run(runId)}/logs`,
  events: (runId: string) => `${run(runId)}/events`,
  explain: (runId: string) => `${run(runId)}/explain`,
  cancel: (runId: string) => `${run(runId)}/cancel`,
  retry: (runId: string) => `${run(runId)}/retry`,
  deployments: `${root}/deployments`,
  resolve: `${root}/deployments/resolve`,
  apiKeys: `${root}/api-keys`,
  apiKey: (id: string) => `${root}/api-keys/${encodeURIComponent(id)}`,
  openapi: '/api/openapi.json',
  health: '/health',
  ready: '/ready',
  workflowHealth: '/api/health/workflows',
} as const;

/** Request header that makes starting a run repeatable. */
export const IDEMPOTENCY_HEADER = 'idempotency-key';
