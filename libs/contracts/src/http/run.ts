import { z } from 'zod';
import { RUN_STATES } from '#core';
import { BATCH_ITEMS_MAX, IDEMPOTENCY_KEY_MAX, REASON_MAX } from './limits.ts';
import { pageOf, pageQuery, scopeName, timestamp } from './page.ts';
import { JsonObject, JsonValue } from './json.ts';
import { named } from './registry.ts';

export const RunStateName = named('RunState', z.enum(RUN_STATES));
/** Which tier picked the deployment. */
export const MatchedBy = named('MatchedBy', z.enum(['team', 'environment', 'default']));

export const DeploymentRef = named('DeploymentRef', z.object({ id: z.uuid(), name: z.string(), pool: z.string() }));
export type DeploymentRef = z.infer<typeof DeploymentRef>;

/** A run as lists show it. `version` counts its transitions: hand it back as `expectedVersion` to act on what you saw. */
export const RunSummary = named(
  'RunSummary',
  z.object({
    id: z.uuid(),
    workflowId: z.uuid(),
    workflow: z.string(),
    workflowVersion: z.number().int().positive(),
    environment: z.string().nullable(),
    team: z.string().nullable(),
    deployment: DeploymentRef,
    matchedBy: MatchedBy,
    state: RunStateName,
    version: z.number().int().positive(),
    reason: z.string().nullable(),
    retryOf: z.uuid().nullable(),
    createdBy: z.string(),
    createdAt: timestamp,
    changedAt: timestamp,
    startedAt: timestamp.nullable(),
    endedAt: timestamp.nullable(),
  }),
);
export type RunSummary = z.infer<typeof RunSummary>;
export const RunPage = named('RunPage', pageOf(RunSummary));

/** A run with its payloads. `output` holds the outputs of the sink steps (those nothing needs) by name; null until the run has succeeded. */
export const RunDetail = named(
  'RunDetail',
  RunSummary.extend({
    input: JsonValue,
    output: JsonObject.nullable(),
    steps: z.object({ total: z.number().int(), remaining: z.number().int() }),
  }),
);
export type RunDetail = z.infer<typeof RunDetail>;

const input = JsonObject;
export const idempotencyKey = z
  .string()
  .min(1)
  .max(IDEMPOTENCY_KEY_MAX)
  .regex(/^[\x21-\x7e]+$/, 'visible ASCII without spaces');

/** Starts a run of the workflow in the path. Environment and team are the workflow's. Header `Idempotency-Key`: the same key starts one run. */
export const StartRun = named('StartRun', z.strictObject({ input: input.default({}) }));
export type StartRun = z.infer<typeof StartRun>;

/** `POST /runs`: the same with the workflow named in the body. */
export const StartRunOf = named('StartRunOf', z.strictObject({ workflowId: z.uuid(), input: input.default({}) }));
export type StartRunOf = z.infer<typeof StartRunOf>;

/** `/api/workflows/{id}/run` and `/execute`: the older body. */
export const ExecuteWorkflow = named('ExecuteWorkflow', z.strictObject({ triggerData: input.nullable().optional() }));
export type ExecuteWorkflow = z.infer<typeof ExecuteWorkflow>;

/** What the older paths answer: the run, its id once more as `executionId`. */
export const ExecutionStarted = named('ExecutionStarted', RunSummary.extend({ executionId: z.uuid() }));
export type ExecutionStarted = z.infer<typeof ExecutionStarted>;

/** Many runs in one call; each item stands for itself. */
export const StartRunsBatch = named(
  'StartRunsBatch',
  z.strictObject({
    items: z
      .array(z.strictObject({ workflowId: z.uuid(), input: input.default({}), idempotencyKey: idempotencyKey.optional() }))
      .min(1)
      .max(BATCH_ITEMS_MAX),
  }),
);
export type StartRunsBatch = z.infer<typeof StartRunsBatch>;

/** Per item, in the order of the items: the run, or why there is none. */
export const StartedRunsBatch = named(
  'StartedRunsBatch',
  z.object({
    items: z.array(
      z.discriminatedUnion('outcome', [
        z.object({ outcome: z.enum(['created', 'repeated']), run: RunSummary }),
        z.object({
          outcome: z.literal('refused'),
          error: z.object({
            code: z.string(),
            message: z.string(),
            details: JsonObject,
            remedy: z.string().nullable(),
          }),
        }),
      ]),
    ),
  }),
);
export type StartedRunsBatch = z.infer<typeof StartedRunsBatch>;

/** Body of `/cancel` and `/retry`. With `expectedVersion` the command is refused (409) when the run has moved since. */
export const RunCommand = named(
  'RunCommand',
  z.strictObject({ expectedVersion: z.number().int().positive().optional(), reason: z.string().min(1).max(REASON_MAX).optional() }),
);
export type RunCommand = z.infer<typeof RunCommand>;

/** `state` may be given several times. `since` and `until` bound the creation. Newest first. */
export const RunsQuery = z.strictObject({
  ...pageQuery,
  environment: scopeName.optional(),
  team: scopeName.optional(),
  state: z
    .union([RunStateName, z.array(RunStateName)])
    .transform((given) => (typeof given === 'string' ? [given] : given))
    .optional(),
  workflowId: z.uuid().optional(),
  since: timestamp.optional(),
  until: timestamp.optional(),
});
export type RunsQuery = z.infer<typeof RunsQuery>;
