import type { Json, RunEvent } from '#core';
import { ReportMessage, streams } from '#contracts';
import type { Delivery } from '#transport';

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
    // PostgreSQL's jsonb has no NUL character; a report that carries one would sink its whole batch.
    if (body.includes('\\u0000')) return 'The report holds a NUL character.';
    const parsed = ReportMessage.safeParse(JSON.parse(body));
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    return `The message is no report: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim();
  } catch {
    return 'The message is no JSON.';
  }
}

function toEvent(report: ReportMessage, from: string, dice: number): RunEvent {
  const { id, stepNo, epoch, dispatchNo, session } = report;
  const head = { causeId: id, actor: `worker:${session}`, stepNo, token: { epoch, dispatchNo }, from };
  if (report.kind === 'started') return { kind: 'started', ...head };
  const { outcome, ranMs, output = null, error = null } = report;
  return { kind: 'ended', ...head, outcome, ranMs, output: output as Json, error, dice };
}
