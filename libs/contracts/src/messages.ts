import { z } from 'zod';

/** Longest inline payload of a message (a task's input, a report's output), in bytes of its JSON. */
export const INLINE_PAYLOAD_BYTES_MAX = 256 * 1024;
/** Longest error text that a report carries, in characters; the worker cuts. */
export const ERROR_TEXT_MAX = 4_000;
/** Most reports that travel together. One that nobody can understand holds up those beside it, so they are not too many. */
export const REPORTS_TOGETHER_MAX = 32;
/** Longest log line, in bytes; the worker cuts and marks the cut. */
export const LOG_LINE_BYTES_MAX = 16 * 1024;
/** All that one step may log, in bytes; then one marker line follows and the rest is dropped and counted. */
export const LOG_STEP_BYTES_MAX = 10 * 1024 * 1024;

/** Largest integer of the database: one beyond it in one message would sink the statement of its whole batch. */
const INTEGER_MAX = 2_147_483_647;
/** Last moment that both JavaScript's and the database's calendar have, in milliseconds since 1970. */
const MOMENT_MAX = 8.64e15;

const count = z.number().int().nonnegative();
const ordinal = z.number().int().positive().max(INTEGER_MAX);
const token = { epoch: ordinal, dispatchNo: ordinal };
/** Any JSON. A body was read from its text and can hold nothing else: it is not walked through again, however large or deep it is. */
const payload = z.custom<z.core.util.JSONType>((value) => value !== undefined);
const stepKey = { runId: z.uuid(), stepNo: ordinal };

/** scheduler → worker: do this step, once, under this token. */
export const TaskMessage = z.strictObject({
  v: z.literal(1),
  ...stepKey,
  ...token,
  step: z.string(),
  uses: z.string(),
  input: payload,
  attempt: ordinal,
  timeoutSeconds: z.number().positive(),
  /** The same for every attempt and every dispatch of the step: what the outside world books an effect by. */
  idempotencyKey: z.string(),
  workflow: z.string(),
  workflowVersion: ordinal,
  environment: z.string().nullable(),
  team: z.string().nullable(),
});
export type TaskMessage = z.infer<typeof TaskMessage>;

/** Why a step did not succeed. `code` is dotted and stable (`http.status.503`); `message` is for people, without secrets. */
export const StepError = z.strictObject({
  code: z.string().min(1).max(200),
  message: z.string().max(ERROR_TEXT_MAX),
  retryable: z.boolean(),
  /** Lower bound of the wait before the next attempt, from the outside world (Retry-After). */
  retryAfterSeconds: z.number().nonnegative().max(86_400).optional(),
});
export type StepError = z.infer<typeof StepError>;

const reportHead = {
  v: z.literal(1),
  /** Names this report for ever: the `cause_id` of the transitions it makes. */
  id: z.uuid(),
  ...stepKey,
  ...token,
  session: z.uuid(),
};

/** worker → scheduler: the step has started and is still running. */
export const StartedReport = z.strictObject({ kind: z.literal('started'), ...reportHead });

/** worker → scheduler: the step has ended. Implies its start. `ranMs`: how long the handler ran; the database's clock gives the time. */
export const EndedReport = z.strictObject({
  kind: z.literal('ended'),
  ...reportHead,
  ranMs: count,
  outcome: z.enum(['succeeded', 'failed', 'timed_out', 'cancelled']),
  /** Present when the step succeeded with an output other than null. */
  output: payload.optional(),
  /** Present unless the step succeeded. */
  error: StepError.optional(),
});

/** What a worker tells of a step. An entry of the stream holds one, or a list of at most `REPORTS_TOGETHER_MAX`, in which each counts for itself. */
export const ReportMessage = z.discriminatedUnion('kind', [StartedReport, EndedReport]);
export type StartedReport = z.infer<typeof StartedReport>;
export type EndedReport = z.infer<typeof EndedReport>;
export type ReportMessage = z.infer<typeof ReportMessage>;

/** Most steps that one worker holds. */
const HELD_STEPS_MAX = 4_096;

/** A step under a dispatch number, as a worker holds it. */
export const HeldStep = z.tuple([z.uuid(), ordinal, ordinal]);
export type HeldStep = z.infer<typeof HeldStep>;

/**
 * worker → scheduler: this session lives and holds these steps ([runId, stepNo, dispatchNo]). Renews the session's lease. Workers may be newer
 * than schedulers: a field that is not known here is passed over.
 */
export const HeartbeatMessage = z.object({
  v: z.literal(1),
  session: z.uuid(),
  /** Host or pod name, for people. */
  worker: z.string().max(253),
  epoch: z.number().int().nonnegative(),
  /** The number of this heartbeat within its session, from 1. Not told by older workers. */
  beat: ordinal.optional(),
  concurrency: ordinal,
  held: z.array(HeldStep).max(HELD_STEPS_MAX),
  /** So many of `held`, from the first on, were begun; the rest wait for their turn. Not told by older workers: all may have been. */
  begun: count.max(HELD_STEPS_MAX).optional(),
  /** Step kinds this worker can run. */
  kinds: z.array(z.string()).max(1_000),
  /** True with a session's last heartbeat: it hands its lease back. */
  leaving: z.boolean(),
});
export type HeartbeatMessage = z.infer<typeof HeartbeatMessage>;

/** scheduler → the workers of one deployment, may be lost: end these steps, they are no longer yours to run. */
export const ControlMessage = z.strictObject({
  v: z.literal(1),
  /** Null: whoever holds them. */
  session: z.uuid().nullable(),
  drop: z.array(HeldStep),
  reason: z.enum(['cancelled', 'stale']),
});
export type ControlMessage = z.infer<typeof ControlMessage>;

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** worker → scheduler: log lines of one step. `line` counts from 1 within the attempt, so that a redelivery is written once. */
export const LogMessage = z.strictObject({
  v: z.literal(1),
  ...stepKey,
  attempt: ordinal,
  dispatchNo: ordinal,
  lines: z
    .array(z.strictObject({ line: ordinal, at: z.number().int().min(0).max(MOMENT_MAX), level: z.enum(LOG_LEVELS), text: z.string() }))
    .min(1)
    .max(1_000),
});
export type LogMessage = z.infer<typeof LogMessage>;

/** api → scheduler, may be lost: runs were submitted. */
export const RunsSubmitted = z.strictObject({ count });
export type RunsSubmitted = z.infer<typeof RunsSubmitted>;

/** scheduler, api → api, may be lost: these runs changed; read them. */
export const RunsChanged = z.strictObject({ runs: z.array(z.uuid()) });
export type RunsChanged = z.infer<typeof RunsChanged>;
