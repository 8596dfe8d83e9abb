import type { Json, RunEvent, StepErrorView } from '#core';
import { PAYLOAD_DEPTH_MAX, ReportMessage, isDeeperThan, streams } from '#contracts';
import type { Delivery } from '#transport';

/** An escape, by an odd number of backslashes, of U+0000 or of a surrogate (JSON.stringify escapes only lone ones): jsonb refuses both. */
const UNSTORABLE = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/;
/** A step whose output has no place in jsonb fails; were its report only refused, the step would be run again and again. */
const OUTPUT_UNSTORABLE: StepErrorView = {
  code: 'step.output_unstorable',
  message: 'The output holds U+0000 or half of a surrogate pair, which cannot be stored. Encode the data, for example as base64.',
  retryable: false,
};
/** Likewise: beyond this, checking and storing it would overflow a stack. */
const OUTPUT_TOO_DEEP: StepErrorView = {
  code: 'step.output_too_deep',
  message: `The output is nested deeper than ${PAYLOAD_DEPTH_MAX} levels.`,
  retryable: false,
};
/** No step runs for longer; what a worker says beyond would not fit the database's calendar. */
const RAN_MS_MAX = 366 * 86_400_000;

/** Reports of one batch as events of their runs, each with the delivery behind it, and what could not be understood (delivery id → reason). */
export interface ReportIntake {
  readonly events: ReadonlyMap<string, RunEvent[]>;
  readonly deliveryOf: ReadonlyMap<RunEvent, Delivery>;
  readonly malformed: ReadonlyMap<string, string>;
}

/** Reads a batch. `idOf` knows deployments by name; `dice` draws a number in [0, 1) per report, for the jitter of a retry. */
export function readReports(
  batch: readonly Delivery[],
  idOf: (deployment: string) => string | undefined,
  dice: () => number,
): ReportIntake {
  const events = new Map<string, RunEvent[]>();
  const deliveryOf = new Map<RunEvent, Delivery>();
  const malformed = new Map<string, string>();
  for (const delivery of batch) {
    const report = parse(delivery.body);
    if (typeof report === 'string') {
      malformed.set(delivery.id, report);
      continue;
    }
    const event = toEvent(report, idOf(delivery.stream.slice(streams.reports('').length)) ?? 'unknown', dice());
    const known = events.get(report.runId);
    if (known) known.push(event);
    else events.set(report.runId, [event]);
    deliveryOf.set(event, delivery);
  }
  return { events, deliveryOf, malformed };
}

function parse(body: string): ReportMessage | string {
  try {
    const parsed = ReportMessage.safeParse(shallow(JSON.parse(body)));
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    return `The message is no report: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim();
  } catch {
    return 'The message is no JSON.';
  }
}

/** The report, its step failed when the output is nested too deep to be looked at. */
function shallow(report: unknown): unknown {
  if (typeof report !== 'object' || report === null || !('output' in report)) return report;
  if (!isDeeperThan(PAYLOAD_DEPTH_MAX, report.output)) return report;
  return { ...report, output: null, outcome: 'failed', error: OUTPUT_TOO_DEEP };
}

function toEvent(report: ReportMessage, from: string, dice: number): RunEvent {
  const { id, stepNo, epoch, dispatchNo, session } = report;
  const head = { causeId: id, actor: `worker:${session}`, stepNo, token: { epoch, dispatchNo }, from };
  if (report.kind === 'started') return { kind: 'started', ...head };
  const { outcome, output = null, error = null } = report;
  const ended = { kind: 'ended' as const, ...head, ranMs: Math.min(report.ranMs, RAN_MS_MAX), dice };
  if (!isStorable(output)) return { ...ended, outcome: 'failed', output: null, error: OUTPUT_UNSTORABLE };
  return {
    ...ended,
    outcome,
    output: output as Json,
    error: error && { ...error, code: storable(error.code), message: storable(error.message) },
  };
}

function isStorable(output: unknown): boolean {
  const text = JSON.stringify(output);
  return !text.includes('\\u') || !UNSTORABLE.test(text);
}

function storable(text: string): string {
  return text.replaceAll('\u0000', '\u2400').toWellFormed();
}
