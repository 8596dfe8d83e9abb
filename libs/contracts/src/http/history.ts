import { z } from 'zod';
import { LOG_LEVELS } from '../messages.ts';
import { pageOf, pageQuery, timestamp } from './page.ts';
import { named } from './registry.ts';

/** A recorded move of state. `seq` rises within a run; `stepNo` 0 and `step` null: the run itself. */
export const Transition = named(
  'Transition',
  z.object({
    seq: z.number().int().positive(),
    stepNo: z.number().int().nonnegative(),
    step: z.string().nullable(),
    previousState: z.string().nullable(),
    newState: z.string(),
    version: z.number().int().positive(),
    causeId: z.uuid(),
    actor: z.string(),
    reason: z.string().nullable(),
    attempt: z.number().int().nullable(),
    dispatchNo: z.number().int().nullable(),
    transitionedAt: timestamp,
    createdAt: timestamp,
  }),
);
export type Transition = z.infer<typeof Transition>;
export const TransitionPage = named('TransitionPage', pageOf(Transition));
export const TransitionsQuery = z.strictObject({ ...pageQuery });
export type TransitionsQuery = z.infer<typeof TransitionsQuery>;

/** Events of `GET /runs/{id}/events`: `transition` carries a Transition under its `seq` as id; `end` a RunEnded, then the stream closes. */
export const RUN_EVENTS = { transition: 'transition', end: 'end' } as const;
export const RunEnded = named('RunEnded', z.object({ state: z.enum(['SUCCEEDED', 'FAILED', 'CANCELLED', 'TIMED_OUT']) }));
export type RunEnded = z.infer<typeof RunEnded>;

/** A line that a step logged. `line` counts from 1 within a dispatch. */
export const LogLine = named(
  'LogLine',
  z.object({
    stepNo: z.number().int().positive(),
    step: z.string(),
    attempt: z.number().int().positive(),
    dispatchNo: z.number().int().positive(),
    line: z.number().int().positive(),
    at: timestamp,
    level: z.enum(LOG_LEVELS),
    text: z.string(),
  }),
);
export type LogLine = z.infer<typeof LogLine>;

/**
 * Lines step by step, each step's in its own order. `tailCursor` is the place behind the last line there is so far: to follow, ask again
 * with it, once per step that has not ended (`step=`). It is the cursor that was given when no line came.
 */
export const LogPage = named('LogPage', pageOf(LogLine).extend({ tailCursor: z.string().nullable() }));
export type LogPage = z.infer<typeof LogPage>;

/** `step`: a step's name or number. */
export const LogsQuery = z.strictObject({ ...pageQuery, step: z.string().max(128).optional() });
export type LogsQuery = z.infer<typeof LogsQuery>;
