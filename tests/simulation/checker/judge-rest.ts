import { isTerminalRun, type StepState } from '#core';
import { groups } from '#contracts';
import type { ApiBook } from '../actors/api.ts';
import { SCRIPTED } from '../actors/simulated-steps.ts';
import { stepKey, type Database } from '../database/database.ts';
import type { RunRow, StepRow } from '../database/rows.ts';
import type { StreamServer } from '../network/stream-server.ts';
import type { Checker } from './checker.ts';
import type { Ledger } from './ledger.ts';

/** The default of the scheduler's setting. */
const SILENT_LOSSES_MAX = 20;

/** Whether everything has come to its end: what keeps it from that, or null. */
export function unrest(database: Database, streams: StreamServer): string | null {
  const { live, runs, timers, sessions, waits, locks } = database;
  for (const run of runs.committed.values()) if (!isTerminalRun(run.state)) return `run ${run.id} is ${run.state}`;
  if (live.committed.size > 0) return `${live.committed.size} live rows`;
  if (timers.committed.size > 0) return `${timers.committed.size} timers`;
  if (waits.committed.size > 0) return `${waits.committed.size} waits`;
  if (locks.size > 0) return `${locks.size} locks`;
  for (const { session, held } of sessions.committed.values()) if (held.length > 0) return `session ${session} holds ${held.length} steps`;
  for (const name of streams.names) {
    const stream = streams.broker.find(name);
    const isCurrent = name.startsWith(`${database.epoch}|`);
    // Heartbeats come for ever; what is left in the streams of an earlier epoch nobody reads any more.
    if (!stream || !isCurrent || name.includes('heartbeats:')) continue;
    const group = name.includes('tasks:') ? groups.workers : groups.schedulers;
    const pending = stream.groups.get(group)?.pending.size ?? 0;
    if (stream.entries.size > 0) return `${stream.entries.size} entries of ${name}, ${pending} of them taken`;
  }
  return null;
}

/** What must hold when everything has come to its end. */
export function judgeRest(
  checker: Checker,
  database: Database,
  streams: StreamServer,
  book: ApiBook,
  ledger: Ledger,
  lost: ReadonlySet<string>,
): void {
  for (const runId of book.accepted)
    if (!database.runs.committed.has(runId) && !lost.has(runId)) checker.broken('I1', `run ${runId} was answered and does not exist`);
  for (const runId of book.cancelled) {
    const state = database.runs.committed.get(runId)?.state;
    if (state !== undefined && state !== 'CANCELLED' && lost.size === 0 && database.epoch === 1)
      checker.broken('I4', `run ${runId}: cancel was answered, it ended ${state}`);
  }
  for (const run of database.runs.committed.values()) judgeOutcome(checker, database, run, ledger);
  for (const key of ledger.asked.keys()) {
    const [runId = '', no = ''] = key.split(':');
    const step = database.steps.committed.get(stepKey(runId, Number(no)));
    if (!lost.has(runId) && database.epoch === 1 && (!step || step.dispatchNo === 0))
      checker.broken('I4', `an effect of ${key}, which was never sent`);
  }
  for (const name of streams.names) {
    const dead = streams.broker.find(name)?.dead ?? [];
    for (const letter of dead)
      if (!letter.reason.startsWith('Delivered 5 times')) checker.broken('I8', `a dead letter of ${name}: ${letter.reason}`);
  }
}

/** What each step of a run that ended by itself must have come to, from the ends of its needs. */
function judgeOutcome(checker: Checker, database: Database, run: RunRow, ledger: Ledger): void {
  const plan = database.versions.get(`${run.workflowId} ${run.workflowVersion}`)?.plan;
  const rowOf = (no: number) => database.steps.committed.get(stepKey(run.id, no));
  for (const { no, uses, needs, condition } of plan?.steps ?? []) {
    const row = rowOf(no);
    if (!row) continue;
    const key = stepKey(run.id, no);
    if (row.state === 'SUCCEEDED' && uses === SCRIPTED && !ledger.asked.has(`${run.id}:${no}`))
      checker.broken('I4', `${key} SUCCEEDED without its effect`);
    if (row.reason === 'step.worker_lost') judgeBlame(checker, row, ledger);
    if (run.state !== 'SUCCEEDED' && run.state !== 'FAILED') continue;
    const failed = needs.some((need) => hasFailed(rowOf(need)));
    const isSkipped = row.state === 'SKIPPED' && row.reason === 'step.need_failed';
    if (row.reason === 'step.reused') continue;
    if (isSkipped !== (failed && condition?.readsFailed !== true))
      checker.broken('I4', `${key}: ${row.state} ${row.reason ?? ''}, a need failed: ${failed}`);
  }
}

/**
 * A step that fails for the workers that it lost has been begun so often, or was lost silently too often. Once the worker may have gone between
 * the report of the start and the start.
 */
function judgeBlame(checker: Checker, { runId, stepNo, dispatchNo, attempt, workerLosses }: StepRow, ledger: Ledger): void {
  const begun = ledger.begun.get(`${runId}:${stepNo}`) ?? 0;
  const silent = dispatchNo - attempt - (workerLosses - 1);
  if (silent < SILENT_LOSSES_MAX && begun < workerLosses - 1)
    checker.broken('I4', `${stepKey(runId, stepNo)}: failed for ${workerLosses} lost workers, begun ${begun} times`);
}

function hasFailed(row: { state: StepState; reason: string | null } | undefined): boolean {
  if (row?.state === 'SKIPPED') return row.reason === 'step.need_failed';
  return row?.state !== 'SUCCEEDED';
}
