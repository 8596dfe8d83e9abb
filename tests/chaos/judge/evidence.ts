import { HistoryEvent, type LedgerEntry } from '#store';
import { readJsonLines } from '../json-lines.ts';

/** What was seen from outside: by callers and by the world that steps have effects in. */
export interface SeenOutside {
  readonly history: readonly HistoryEvent[];
  /** Runs whose start was answered. */
  readonly accepted: readonly string[];
  /** Effects of each step: `run/step`, and under how many idempotency keys they were booked. */
  readonly ledger: readonly LedgerEntry[];
}

/** Reads both files; what belongs to `voided` runs is left out. */
export async function readEvidence(historyFile: string, effectsFile: string, voided: ReadonlySet<string>): Promise<SeenOutside> {
  const history: HistoryEvent[] = [];
  for await (const line of readJsonLines(historyFile)) {
    const event = HistoryEvent.parse(line);
    if (!voided.has(event.runId)) history.push(event);
  }
  const accepted = new Set(history.flatMap(({ op, runId, result }) => (isAcceptedCreate(op, result.outcome) ? [runId] : [])));
  return { history, accepted: [...accepted], ledger: await readLedger(effectsFile, voided) };
}

function isAcceptedCreate(op: HistoryEvent['op'], outcome: string): boolean {
  return op === 'create' && (outcome === 'accepted' || outcome === 'repeated');
}

/** The outside world books once per key by itself, so a step has a doubled effect when it came under two keys. */
async function readLedger(file: string, voided: ReadonlySet<string>): Promise<LedgerEntry[]> {
  const counts = new Map<string, number>();
  for await (const line of readJsonLines(file)) {
    if (typeof line !== 'object' || line === null || !('run' in line) || !('step' in line)) continue;
    if (voided.has(String(line.run))) continue;
    const subject = `${String(line.run)}/${String(line.step)}`;
    counts.set(subject, (counts.get(subject) ?? 0) + 1);
  }
  return [...counts].map(([idempotencyKey, count]) => ({ idempotencyKey, count }));
}
