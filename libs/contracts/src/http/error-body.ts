import { z } from 'zod';
import { JsonObject } from './json.ts';
import { named } from './registry.ts';

/**
 * Every answer with a status ≥ 400. `code` is dotted and stable (docs/errors.md lists all), `message` is for people, `details` for
 * machines, `remedy` says how to mend it, `requestId` finds the log lines.
 */
export const ErrorBody = named(
  'ErrorBody',
  z.object({
    code: z.string(),
    message: z.string(),
    details: JsonObject,
    remedy: z.string().nullable(),
    requestId: z.string(),
  }),
);
export type ErrorBody = z.infer<typeof ErrorBody>;

/** One fault of a body, a query or a definition, as `details.faults` lists them. Line and column where the text is known. */
export const Fault = named(
  'Fault',
  z.object({
    code: z.string(),
    message: z.string(),
    path: z.string(),
    remedy: z.string().nullable().optional(),
    file: z.string().nullable().optional(),
    line: z.number().int().nullable().optional(),
    column: z.number().int().nullable().optional(),
  }),
);
export type Fault = z.infer<typeof Fault>;
