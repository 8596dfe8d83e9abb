import { z } from 'zod';
import { Fault } from './error-body.ts';
import { DEFINITION_BYTES_MAX, LABEL_FILTERS_MAX } from './limits.ts';
import { pageOf, pageQuery, scopeName, timestamp } from './page.ts';
import { JsonObject, JsonValue } from './json.ts';
import { named } from './registry.ts';

const labels = z.record(z.string().min(1).max(63), z.string().max(255)).refine((all) => Object.keys(all).length <= 64, 'at most 64 labels');

/** A workflow: the name that its versions share within an environment and team. */
export const Workflow = named(
  'Workflow',
  z.object({
    id: z.uuid(),
    name: z.string(),
    environment: z.string().nullable(),
    team: z.string().nullable(),
    enabled: z.boolean(),
    category: z.string().nullable(),
    labels: z.record(z.string(), z.string()),
    currentVersion: z.number().int(),
    createdBy: z.string(),
    createdAt: timestamp,
    updatedAt: timestamp,
  }),
);
export type Workflow = z.infer<typeof Workflow>;
export const WorkflowPage = named('WorkflowPage', pageOf(Workflow));

/** A frozen copy of a definition. `source` is the text as it was sent, `definition` what it means. */
export const WorkflowVersion = named(
  'WorkflowVersion',
  z.object({
    workflowId: z.uuid(),
    version: z.number().int().positive(),
    checksum: z.string(),
    definition: JsonValue,
    source: z.string(),
    createdBy: z.string(),
    createdAt: timestamp,
  }),
);
export type WorkflowVersion = z.infer<typeof WorkflowVersion>;

/** A version without its texts, as the list shows it. */
export const WorkflowVersionSummary = named('WorkflowVersionSummary', WorkflowVersion.omit({ definition: true, source: true }));
export type WorkflowVersionSummary = z.infer<typeof WorkflowVersionSummary>;
export const WorkflowVersionPage = named('WorkflowVersionPage', pageOf(WorkflowVersionSummary));

/**
 * Publishes a definition: its text (YAML or JSON) as `source`, or the object as `definition`. The text may also be sent alone, as
 * `application/yaml`, with `dryRun` and `file` in the query.
 */
export const ApplyWorkflow = named(
  'ApplyWorkflow',
  z
    .strictObject({
      source: z.string().min(1).max(DEFINITION_BYTES_MAX).optional(),
      definition: JsonObject.optional(),
      /** Name of the file the text comes from: faults name it. */
      file: z.string().max(1_024).optional(),
      /** Check and compare only; nothing is written. */
      dryRun: z.boolean().default(false),
    })
    .refine((body) => (body.source === undefined) !== (body.definition === undefined), 'give exactly one of source and definition'),
);
export type ApplyWorkflow = z.infer<typeof ApplyWorkflow>;

/**
 * What publishing did (or would do): `unchanged` when the current version has the same checksum; `restored` when an older one has and is
 * current again. `workflow` is null for a dry run of a new one. `warnings`: what is allowed, but most likely not meant.
 */
export const AppliedWorkflow = named(
  'AppliedWorkflow',
  z.object({
    outcome: z.enum(['created', 'new_version', 'restored', 'unchanged']),
    dryRun: z.boolean(),
    name: z.string(),
    environment: z.string().nullable(),
    team: z.string().nullable(),
    version: z.number().int().positive(),
    checksum: z.string(),
    workflow: Workflow.nullable(),
    warnings: z.array(Fault),
  }),
);
export type AppliedWorkflow = z.infer<typeof AppliedWorkflow>;

/** Changes what is not part of a version. A new environment or team counts from the next run; runs under way keep their deployment. */
export const ChangeWorkflow = named(
  'ChangeWorkflow',
  z
    .strictObject({
      enabled: z.boolean(),
      category: z.string().min(1).max(100).nullable(),
      labels,
      environment: scopeName.nullable(),
      team: scopeName.nullable(),
    })
    .partial()
    .refine((change) => Object.keys(change).length > 0, 'name at least one field to change'),
);
export type ChangeWorkflow = z.infer<typeof ChangeWorkflow>;

/** `label=key:value`, as often as there are labels to match. */
export const labelFilters = z
  .union([z.string(), z.array(z.string())])
  .transform((given) => (typeof given === 'string' ? [given] : given))
  .pipe(z.array(z.string().regex(/^[^:]{1,63}:.{0,255}$/, 'key:value')).max(LABEL_FILTERS_MAX));

export const WorkflowsQuery = z.strictObject({
  ...pageQuery,
  name: z.string().max(128).optional(),
  environment: scopeName.optional(),
  team: scopeName.optional(),
  category: z.string().max(100).optional(),
  enabled: z.stringbool({ truthy: ['true'], falsy: ['false'] }).optional(),
  label: labelFilters.optional(),
});
export type WorkflowsQuery = z.infer<typeof WorkflowsQuery>;

export const VersionsQuery = z.strictObject({ ...pageQuery });
export type VersionsQuery = z.infer<typeof VersionsQuery>;
