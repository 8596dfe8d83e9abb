import { z } from 'zod';
import { LOG_LEVELS, StepError } from '#contracts';
import type { Payload } from '../steps/step-end.ts';

/** What a step process is told at its start, as its only argument (JSON). */
export const ProcessSetup = z.strictObject({
  /** Process id of the worker: its end is the process's end. */
  parent: z.int().positive(),
  /** Handler modules: paths or package names, found from `folder`. */
  modules: z.array(z.string()),
  folder: z.string(),
  /** Set in the process that runs the built-in connectors. */
  connectors: z.strictObject({ privateAddresses: z.enum(['allow', 'deny']) }).nullable(),
});
export type ProcessSetup = z.infer<typeof ProcessSetup>;

/** What a handler is told of its step. */
export interface StepAssignment {
  readonly uses: string;
  readonly input: Payload;
  readonly step: string;
  readonly attempt: number;
  readonly idempotencyKey: string;
  readonly run: { id: string; workflow: string; version: number; environment: string | null; team: string | null };
}

/** worker → step process. `id` names one execution of a step within the process. */
export type ToProcess =
  | { readonly kind: 'run'; readonly id: number; readonly assignment: StepAssignment }
  | { readonly kind: 'abort'; readonly id: number; readonly reason: string };

/** The channel carries JSON and nothing else, so that a payload need not be walked once more. */
const carriedJson = z.custom<Payload>((value) => value !== undefined);

const HandlerFacts = z.object({ name: z.string(), heartbeatTimeoutSeconds: z.number().positive().nullable() });
export type HandlerFacts = z.infer<typeof HandlerFacts>;

/** How a handler ended, by its own account. */
const HandlerEnd = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.literal('succeeded'), output: carriedJson }),
  z.object({ outcome: z.literal('failed'), error: StepError }),
]);
export type HandlerEnd = z.infer<typeof HandlerEnd>;

/** step process → worker. Checked, because a handler can send through the same channel. */
export const FromProcess = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready'), handlers: z.array(HandlerFacts).max(1_000) }),
  z.object({ kind: z.literal('unloadable'), message: z.string() }),
  z.object({ kind: z.literal('log'), id: z.number(), at: z.number().int(), level: z.enum(LOG_LEVELS), text: z.string() }),
  z.object({ kind: z.literal('beat'), id: z.number() }),
  z.object({ kind: z.literal('ended'), id: z.number(), ranMs: z.number().nonnegative(), end: HandlerEnd }),
]);
export type FromProcess = z.infer<typeof FromProcess>;
