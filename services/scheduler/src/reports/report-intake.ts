import type { Json, RunEvent, StepErrorView } from '#core';
import { type ReportMessage, streams } from '#contracts';
import type { Delivery } from '#transport';
import { reportsIn } from './report-body.ts';
import type { ReportFault, ReportOrigin } from './report-faults.ts';

/** An escape, by an odd number of backslashes, of U+0000 or of a surrogate (JSON.stringify escapes only lone ones): jsonb refuses both. */
const UNSTORABLE = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/;
/** A step whose output has no place in jsonb fails; were its report only refused, the step would be run again and again. */
const OUTPUT_UNSTORABLE: StepErrorView = {
  code: 'step.output_unstorable',
  message: 'The output holds U+0000 or half of a surrogate pair, which cannot be stored. Encode the data, for example as base64.',
  retryable: false,
};
/** No step runs for longer; what a worker says beyond would not fit the database's calendar. */
const RAN_MS_MAX = 366 * 86_400_000;

/** Reports as events of their runs, each with where it came from, and what could not be understood. */
export interface ReportIntake {
  readonly events: ReadonlyMap<string, readonly RunEvent[]>;
  readonly originOf: ReadonlyMap<RunEvent, ReportOrigin>;
  readonly malformed: readonly ReportFault[];
}

export interface IntakeSurroundings {
  /** Knows deployments by name. */
  readonly idOf: (deployment: string) => string | undefined;
  /** Draws a number in [0, 1) per report, for the jitter of a retry. */
  readonly dice: () => number;
  /** Most reports of one intake. Those that travelled together stay together, also where they are more. */
  readonly reportsMax: number;
}

/** Reads a batch: its entries count as many as they hold reports, so it may take several intakes. */
export function* readReports(batch: readonly Delivery[], around: IntakeSurroundings): Generator<ReportIntake> {
  let intake = new GrowingIntake();
  for (const delivery of batch) {
    const told = reportsIn(delivery.body);
    if (intake.size > 0 && intake.size + told.length > around.reportsMax) {
      yield intake;
      intake = new GrowingIntake();
    }
    intake.add(delivery, told, around);
  }
  if (intake.size > 0) yield intake;
}

class GrowingIntake implements ReportIntake {
  readonly events = new Map<string, RunEvent[]>();
  readonly originOf = new Map<RunEvent, ReportOrigin>();
  readonly malformed: ReportFault[] = [];

  get size(): number {
    return this.originOf.size + this.malformed.length;
  }

  add(delivery: Delivery, told: readonly (ReportMessage | string)[], { idOf, dice }: IntakeSurroundings): void {
    const from = idOf(delivery.stream.slice(streams.reports('').length)) ?? 'unknown';
    for (const [at, report] of told.entries()) {
      const origin = { delivery, place: at + 1, count: told.length };
      if (typeof report === 'string') this.malformed.push({ origin, reason: report, hopeless: true });
      else this.addEvent(report.runId, toEvent(report, from, dice()), origin);
    }
  }

  private addEvent(runId: string, event: RunEvent, origin: ReportOrigin): void {
    const known = this.events.get(runId);
    if (known) known.push(event);
    else this.events.set(runId, [event]);
    this.originOf.set(event, origin);
  }
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
