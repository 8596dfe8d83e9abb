import { z } from 'zod';
import { STEP_STATES } from '#core';
import { pageOf, pageQuery, timestamp } from './page.ts';
import { JsonValue } from './json.ts';
import { named } from './registry.ts';

export const StepStateName = named('StepState', z.enum(STEP_STATES));

/** Why a step has no success, as its worker told it. */
export const StepErrorView = named('StepErrorView', z.object({ code: z.string(), message: z.string(), retryable: z.boolean() }));

/** A step of a run; a step that has not left PENDING has version 0. `needs` are names. */
export const StepSummary = named(
  'StepSummary',
  z.object({
    stepNo: z.number().int().positive(),
    name: z.string(),
    uses: z.string(),
    needs: z.array(z.string()),
    state: StepStateName,
    version: z.number().int().nonnegative(),
    attempt: z.number().int().positive(),
    attemptsMax: z.number().int().positive(),
    workerLosses: z.number().int().nonnegative(),
    reason: z.string().nullable(),
    error: StepErrorView.nullable(),
    createdAt: timestamp.nullable(),
    changedAt: timestamp.nullable(),
    startedAt: timestamp.nullable(),
    endedAt: timestamp.nullable(),
  }),
);
export type StepSummary = z.infer<typeof StepSummary>;
export const StepPage = named('StepPage', pageOf(StepSummary));

/** One step with its output; `GET /runs/{id}/steps/{step}` takes its number or its name. */
export const StepDetail = named('StepDetail', StepSummary.extend({ output: JsonValue }));
export type StepDetail = z.infer<typeof StepDetail>;

export const StepsQuery = z.strictObject({
  ...pageQuery,
  state: z
    .union([StepStateName, z.array(StepStateName)])
    .transform((given) => (typeof given === 'string' ? [given] : given))
    .optional(),
});
export type StepsQuery = z.infer<typeof StepsQuery>;
