import { z } from 'zod';
import { DomainError, isTerminalRun, RUN_STATES, type RunState } from '#core';

/**
 * One call to the api as its caller saw it. Times are the caller's own, of one clock for the whole history; `endedAt` is null when no answer
 * came. Outcomes: `accepted` – the call made the change; `repeated` – an idempotency key brought the same run again, or a cancel made the
 * change or found it made, and the answer does not tell which; `refused` – the run's state did not allow it; `seen` – a read, with the state; `not_found`; `unknown` – no answer, or an outage: it may have happened.
 */
export const HistoryEvent = z.object({
  op: z.enum(['create', 'cancel', 'retry', 'read']),
  runId: z.string(),
  startedAt: z.number(),
  endedAt: z.number().nullable(),
  result: z.discriminatedUnion('outcome', [
    z.object({ outcome: z.enum(['accepted', 'repeated', 'refused', 'not_found', 'unknown']) }),
    z.object({ outcome: z.literal('seen'), state: z.enum(RUN_STATES) }),
  ]),
});
export type HistoryEvent = z.infer<typeof HistoryEvent>;

/** Reads a history written as one JSON object a line. Throws `check.history_invalid` naming the line. */
export function parseHistory(text: string): HistoryEvent[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    const parsed = HistoryEvent.safeParse(jsonOf(line));
    if (parsed.success) return [parsed.data];
    throw new DomainError('check.history_invalid', `Line ${index + 1} of the history is no event: ${z.prettifyError(parsed.error)}`, {
      line: index + 1,
    });
  });
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** An answer that no order of the calls explains. */
export interface HistoryFault {
  readonly code: 'check.history.not_linearizable' | 'check.history.run_missing';
  readonly event: HistoryEvent;
}

/**
 * Whether the calls of each run can be put into one order that agrees with their times and with the states the run passed through (`trails`,
 * from the audit). Moments of a run are numbered: 0 it does not exist, 2v the state of version v, 2v − 1 the move into it. Every answer
 * allows a set of moments, and a call that ended before another began must not take a later one. The least choice for each call is
 * therefore the best, and one pass decides (Herlihy and Wing 1990, where the object's own history is known).
 */
export function findHistoryFaults(history: readonly HistoryEvent[], trails: ReadonlyMap<string, readonly RunState[]>): HistoryFault[] {
  const byRun = new Map<string, HistoryEvent[]>();
  for (const event of history) {
    const events = byRun.get(event.runId);
    if (events) events.push(event);
    else byRun.set(event.runId, [event]);
  }
  return [...byRun].flatMap(([runId, events]) => faultsOfRun(events, trails.get(runId)));
}

function faultsOfRun(events: readonly HistoryEvent[], trail: readonly RunState[] | undefined): HistoryFault[] {
  const answered = events.filter(isAnswered);
  if (!trail) {
    return answered.filter((event) => event.result.outcome !== 'not_found').map((event) => ({ code: 'check.history.run_missing', event }));
  }
  const order = new ReachedMoments();
  const taken = new Set<number>();
  const faults: HistoryFault[] = [];
  for (const event of answered.toSorted((a, b) => a.startedAt - b.startedAt)) {
    const earliest = order.before(event.startedAt);
    const moment = momentsOf(event, trail).find((one) => one >= earliest && !taken.has(one));
    if (moment === undefined) {
      faults.push({ code: 'check.history.not_linearizable', event });
      continue;
    }
    // A move happens once: only one call can have made it.
    if (moment % 2 === 1) taken.add(moment);
    order.add(event.endedAt, moment);
  }
  return faults;
}

type AnsweredEvent = HistoryEvent & { readonly endedAt: number };

function isAnswered(event: HistoryEvent): event is AnsweredEvent {
  return event.endedAt !== null && event.result.outcome !== 'unknown';
}

/** The moments that the answer allows, in rising order. */
function momentsOf({ op, result }: AnsweredEvent, trail: readonly RunState[]): number[] {
  const states = (fits: (state: RunState) => boolean) => trail.flatMap((state, index) => (fits(state) ? [2 * (index + 1)] : []));
  const moves = (enters: RunState) => trail.flatMap((state, index) => (state === enters ? [2 * index + 1] : []));
  switch (result.outcome) {
    case 'seen':
      return states((state) => state === result.state);
    case 'not_found':
      return [0];
    case 'repeated':
      return states((state) => op !== 'cancel' || state === 'CANCELLING');
    case 'accepted':
      if (op === 'create') return [1];
      return op === 'cancel' ? moves('CANCELLING') : states(op === 'retry' ? isTerminalRun : () => true);
    case 'refused':
      if (op === 'cancel') return states((state) => isTerminalRun(state) || state === 'CANCELLING');
      return states(op === 'retry' ? (state) => !isTerminalRun(state) : () => true);
    case 'unknown':
      return [];
  }
}

/** The latest moment that calls had reached when they ended, by the time of their end. */
class ReachedMoments {
  private readonly ended: { readonly at: number; readonly moment: number }[] = [];
  private reached = 0;

  add(at: number, moment: number): void {
    this.ended.push({ at, moment });
  }

  /** Calls are asked for in the order of their start, so what ended before one of them ended before all later ones. */
  before(startedAt: number): number {
    for (let index = this.ended.length - 1; index >= 0; index -= 1) {
      const call = this.ended[index];
      if (!call || call.at >= startedAt) continue;
      this.reached = Math.max(this.reached, call.moment);
      this.ended.splice(index, 1);
    }
    return this.reached;
  }
}
