import { isTerminalStep, isTerminalRun, type Json, type RunState, type StepState } from '#core';
import { auditNewStep, auditRun, auditStep } from './audit.ts';
import { stepKey, type Database } from './database.ts';
import type { LiveRow, RunRow, StepRow } from './rows.ts';
import { notNegative, type ColumnRow } from './statement-values.ts';
import type { StatementWork } from './statement-work.ts';
import { DatabaseError } from './table.ts';
import type { Transaction } from './transaction.ts';

/** The live row of a run whose rev still stands: what every statement of a decision joins. Run ids come first, revs second. */
function standing(database: Database, tx: Transaction, row: ColumnRow): LiveRow | null {
  const live = database.live.get(tx, row.text(1));
  if (!live) return null;
  return live.rev === row.number(2) || database.breaks('rev guard') ? live : null;
}

const liveLock: StatementWork = (database, tx, values) => {
  const standingRows = values.rows().flatMap((row) => standing(database, tx, row) ?? []);
  const ids = standingRows.map(({ runId }) => runId).toSorted();
  if (!database.breaks('run mutex')) for (const id of ids) tx.lock(`run ${id}`);
  return ids.map((id) => ({ run_id: id }));
};

const stepsBegin: StatementWork = (database, tx, values) => {
  for (const row of values.rows()) {
    if (!standing(database, tx, row)) continue;
    const state = row.text(5) as StepState;
    const step: StepRow = {
      ...{ runId: row.text(1), stepNo: row.number(3), name: row.text(4), state, via: null, version: 1 },
      ...{ epoch: row.number(6), dispatchNo: row.number(7), attempt: row.number(8), workerLosses: 0, timeoutSeconds: row.number(9) },
      ...{ causeId: row.text(10), actor: row.text(11), reason: row.textOrNull(12), changedAt: tx.now },
      endedAt: isTerminalStep(state) ? tx.now : null,
    };
    database.steps.insert(tx, stepKey(step.runId, step.stepNo), step);
    auditNewStep(database, tx, step);
  }
  return [];
};

/** What a decision was made on has not changed while its rev stands; anything else must not be committed. */
function asSeen(stands: boolean): void {
  if (!stands) throw new DatabaseError('FF008', 'written in part');
}

const stepsMove: StatementWork = (database, tx, values) => {
  for (const row of values.rows()) {
    if (!standing(database, tx, row)) continue;
    const key = stepKey(row.text(1), row.number(3));
    const before = database.steps.get(tx, key);
    const [leaves, via, enters] = [row.text(4) as StepState, row.textOrNull(5) as StepState | null, row.text(6) as StepState];
    asSeen(before?.state === leaves && before.version === row.number(7) - 1 - Number(via !== null));
    if (!before) continue;
    const dispatchNo = database.breaks('new token per dispatch') ? before.dispatchNo : row.number(9);
    const after: StepRow = {
      ...before,
      ...{ state: enters, via, version: row.number(7), epoch: row.number(8), dispatchNo, attempt: row.number(10) },
      ...{ workerLosses: row.number(11), causeId: row.text(12), actor: row.text(13), reason: row.textOrNull(14), changedAt: tx.now },
      endedAt: isTerminalStep(enters) ? tx.now : null,
    };
    database.steps.put(tx, key, after);
    auditStep(database, tx, before, after);
  }
  return [];
};

const runsMove: StatementWork = (database, tx, values) => {
  for (const row of values.rows()) {
    if (!standing(database, tx, row)) continue;
    const id = row.text(1);
    const before = database.runs.get(tx, id);
    const [leaves, via, enters] = [row.text(3) as RunState, row.textOrNull(4) as RunState | null, row.text(5) as RunState];
    asSeen(before?.state === leaves && before.version === row.number(6) - 1 - Number(via !== null));
    if (!before) continue;
    const after: RunRow = {
      ...before,
      ...{ state: enters, via, version: row.number(6), causeId: row.text(7), actor: row.text(8), reason: row.textOrNull(9) },
      endedAt: isTerminalRun(enters) ? tx.now : null,
    };
    database.runs.put(tx, id, after);
    auditRun(database, tx, before, after);
  }
  return [];
};

const liveWrite: StatementWork = (database, tx, values) =>
  values.rows().flatMap((row) => {
    const live = standing(database, tx, row);
    if (!live) return [];
    const [phase, remaining, active, waiting] = [row.text(3), row.number(4), row.number(5), row.number(6)];
    notNegative(database.live, remaining, active, waiting);
    database.live.put(tx, live.runId, {
      ...live,
      ...{
        rev: live.rev + Number(!database.breaks('rev counted up')),
        phase,
        remaining,
        active,
        waiting,
        failed: row.flag(7),
        began: live.began || phase !== 'queued',
      },
      queuedAt: phase === 'queued' && live.phase !== 'queued' ? tx.now : live.queuedAt,
    });
    return [{ run_id: live.runId }];
  });

const liveEnd: StatementWork = (database, tx, values) =>
  values.rows().flatMap((row) => {
    const live = standing(database, tx, row);
    if (!live) return [];
    const { runId } = live;
    database.live.remove(tx, runId);
    for (const timer of database.timers.all(tx))
      if (timer.runId === runId) database.timers.remove(tx, `${stepKey(runId, timer.stepNo)} ${timer.kind}`);
    for (const wait of database.waits.all(tx)) if (wait.runId === runId) database.waits.remove(tx, stepKey(runId, wait.stepNo));
    return [{ run_id: runId }];
  });

const resultsWrite: StatementWork = (database, tx, values) => {
  for (const row of values.rows()) {
    if (!standing(database, tx, row) || database.breaks('result with move')) continue;
    const [runId, stepNo] = [row.text(1), row.number(3)];
    database.outputs.put(tx, stepKey(runId, stepNo), {
      runId,
      stepNo,
      output: jsonOf(row.textOrNull(4)),
      error: jsonOf(row.textOrNull(5)),
    });
  }
  return [];
};

const outputsReuse: StatementWork = (database, tx, values) => {
  for (const row of values.rows()) {
    const source = database.outputs.get(tx, stepKey(row.textOrNull(3) ?? '', row.number(4)));
    const key = stepKey(row.text(1), row.number(4));
    if (!source || !standing(database, tx, row) || database.outputs.get(tx, key)) continue;
    database.outputs.put(tx, key, { runId: row.text(1), stepNo: row.number(4), output: source.output, error: null });
  }
  return [];
};

const timersSet: StatementWork = (database, tx, values) => {
  for (const row of values.rows()) {
    if (!standing(database, tx, row)) continue;
    if (database.breaks('timer with move') && row.number(3) === 2) continue;
    const [runId, stepNo, kind, inMs] = [row.text(1), row.number(3), row.text(4), row.numberOrNull(5)];
    const dueAt = inMs === null ? row.number(6) : database.clock() + inMs;
    database.timers.put(tx, `${stepKey(runId, stepNo)} ${kind}`, { runId, stepNo, kind, dueAt });
  }
  return [];
};

/** What a decision writes: each statement only where the run's rev still stands. */
export const decisionStatements: Readonly<Record<string, StatementWork>> = {
  live_lock: liveLock,
  steps_begin: stepsBegin,
  steps_move: stepsMove,
  runs_move: runsMove,
  live_write: liveWrite,
  live_end: liveEnd,
  results_write: resultsWrite,
  outputs_reuse: outputsReuse,
  timers_set: timersSet,
  timers_clear: (database, tx, values) => {
    for (const row of values.rows())
      if (standing(database, tx, row) && !database.breaks('timer cleared when fired'))
        database.timers.remove(tx, `${stepKey(row.text(1), row.number(3))} ${row.text(4)}`);
    return [];
  },
  waits_begin: (database, tx, values) => {
    for (const row of values.rows()) {
      const wait = { runId: row.text(1), stepNo: row.number(3), unmet: row.number(4) };
      if (standing(database, tx, row)) database.waits.insert(tx, stepKey(wait.runId, wait.stepNo), wait);
    }
    return [];
  },
  waits_lower: (database, tx, values) => {
    for (const row of values.rows()) {
      const key = stepKey(row.text(1), row.number(3));
      const wait = database.waits.get(tx, key);
      if (!wait || !standing(database, tx, row)) continue;
      const by = database.breaks('every need lowers') ? 1 : row.number(4);
      if (wait.unmet - by < 0) throw new DatabaseError('23514', 'unmet is below zero');
      database.waits.put(tx, key, { ...wait, unmet: wait.unmet - by });
    }
    return [];
  },
};

function jsonOf(text: string | null): Json {
  return text === null ? null : (JSON.parse(text) as Json);
}
