import { stepKey, type Database } from './database.ts';
import type { Held, SessionRow, StepRow } from './rows.ts';
import type { StatementWork } from './statement-work.ts';
import { DatabaseError } from './table.ts';
import type { Transaction } from './transaction.ts';

function isUnderWay({ state }: StepRow): boolean {
  return state === 'DISPATCHED' || state === 'RUNNING';
}

function holds({ held }: SessionRow, { runId, stepNo, dispatchNo }: StepRow): boolean {
  return held.some(([run, no, dispatch]) => run === runId && no === stepNo && dispatch === dispatchNo);
}

/** Of what a session lists the first so many were begun; all may have been when it does not tell. */
function hasBegun({ held, begun }: SessionRow, { runId, stepNo, dispatchNo }: StepRow): boolean {
  const place = held.findIndex(([run, no, dispatch]) => run === runId && no === stepNo && dispatch === dispatchNo);
  return place >= 0 && place < (begun ?? held.length);
}

const stepsUnheld: StatementWork = (database, tx, values) => {
  const clock = database.clock();
  const sessions = database.sessions.all(tx);
  const alive = sessions.filter(({ expiresAt }) => expiresAt > clock);
  const expired = sessions.filter(({ expiresAt }) => expiresAt <= clock);
  return database.steps
    .all(tx)
    .filter((step) => isUnderWay(step) && step.changedAt < clock - values.number(1) * 1000)
    .filter((step) => !database.breaks('lost messages are found') || expired.some((session) => holds(session, step)))
    .filter((step) => database.breaks('lease respect') || !alive.some((session) => holds(session, step)))
    .toSorted((one, other) => one.changedAt - other.changedAt)
    .map((step) => {
      const lost = expired.filter((session) => holds(session, step));
      const row = { run_id: step.runId, step_no: step.stepNo, epoch: step.epoch, dispatch_no: step.dispatchNo, state: step.state };
      const deployment_id = database.runs.get(tx, step.runId)?.deploymentId;
      const was_held = lost.length > 0 || database.breaks('lease respect');
      return {
        ...row,
        deployment_id,
        was_held,
        was_begun: lost.some((session) => hasBegun(session, step) || database.breaks('only begun steps count')),
      };
    })
    .slice(0, values.number(2));
};

const sessionsBeat: StatementWork = (database, tx, values) => {
  const seconds = values.number(7);
  for (const row of values.rows()) {
    const held = JSON.parse(row.text(6)) as Held[];
    const beatNo = row.numberOrNull(8);
    const known = database.sessions.get(tx, row.text(1));
    if (known && known.beatNo !== null && beatNo !== null && known.beatNo >= beatNo) continue;
    const expiresAt = database.breaks('leases end') ? Number.POSITIVE_INFINITY : database.clock() + seconds * 1000;
    database.sessions.put(tx, row.text(1), {
      session: row.text(1),
      deploymentId: row.text(2),
      held,
      begun: row.numberOrNull(7),
      beatNo,
      expiresAt,
    });
  }
  return [];
};

const sessionsLeave: StatementWork = (database, tx, values) => {
  const leaving = new Set(values.texts(1));
  const clock = database.clock();
  const keepMs = values.number(2) * 1000;
  for (const row of database.sessions.all(tx)) {
    const awaited = row.held.some((held) => isHeldDispatch(database, tx, held));
    if (leaving.has(row.session) || row.expiresAt < clock - keepMs || (row.expiresAt < clock && !awaited))
      database.sessions.remove(tx, row.session);
  }
  return [];
};

function isHeldDispatch(database: Database, tx: Transaction, [runId, stepNo, dispatchNo]: Held): boolean {
  const step = database.steps.get(tx, stepKey(runId, stepNo));
  return step !== undefined && step.dispatchNo === dispatchNo && isUnderWay(step);
}

const heldStale: StatementWork = (database, tx, values) =>
  values.rows().flatMap((row) => {
    const [session, run_id, step_no, dispatch_no] = [row.text(1), row.text(2), row.number(3), row.number(4)];
    const step = database.steps.get(tx, stepKey(run_id, step_no));
    if (step && isUnderWay(step) && step.dispatchNo === dispatch_no) return [];
    return [{ session, run_id, step_no, dispatch_no, state: step?.state ?? 'PENDING' }];
  });

const leasesTake: StatementWork = (database, tx, values) => {
  const [name, holder, seconds] = [values.text(1), values.text(2), values.number(3)];
  const lease = database.leases.get(tx, name);
  const clock = database.clock();
  // Should two believe that they lead, nothing may break: some worlds let all of them.
  if (lease && lease.holder !== holder && lease.expiresAt >= clock && !database.everyoneLeads) return [];
  const term = lease ? lease.term + Number(lease.holder !== holder) : 1;
  database.leases.put(tx, name, { holder, term, expiresAt: clock + seconds * 1000 });
  return [{ term: String(term) }];
};

const runsToEnd: StatementWork = (database, tx, values) => {
  const live = database.live.all(tx).toSorted((one, other) => (one.runId < other.runId ? -1 : 1));
  const cancels = live.filter(({ phase }) => phase === 'cancelling').map(({ runId }) => ({ run_id: runId, why: 'cancel' }));
  const late = live
    .filter(({ phase, deadlineAt }) => phase !== 'cancelling' && deadlineAt !== null && deadlineAt < database.clock())
    .map(({ runId }) => ({ run_id: runId, why: 'deadline' }));
  return [...cancels.slice(0, values.number(1)), ...late.slice(0, values.number(1))];
};

/** Leases, timers, sweeps. */
export const keepingStatements: Readonly<Record<string, StatementWork>> = {
  steps_unheld: stepsUnheld,
  sessions_beat: sessionsBeat,
  sessions_leave: sessionsLeave,
  steps_held_stale: heldStale,
  leases_take: leasesTake,
  leases_release: (database, tx, values) => {
    const lease = database.leases.get(tx, values.text(1));
    if (lease?.holder === values.text(2)) database.leases.put(tx, values.text(1), { ...lease, expiresAt: database.clock() });
    return [];
  },
  steps_overdue: (database, tx, values) =>
    database.steps
      .all(tx)
      .filter(
        ({ state, changedAt, timeoutSeconds }) =>
          state === 'RUNNING' && changedAt < database.clock() - (timeoutSeconds + values.number(1)) * 1000,
      )
      .slice(0, values.number(2))
      .map((step) => ({ run_id: step.runId, step_no: step.stepNo, epoch: step.epoch, dispatch_no: step.dispatchNo })),
  timers_due: (database, tx, values) =>
    database.timers
      .all(tx)
      .filter(({ dueAt }) => dueAt <= database.clock())
      .toSorted((one, other) => one.dueAt - other.dueAt)
      .slice(0, values.number(1))
      .map(({ runId, stepNo, kind }) => ({ run_id: runId, step_no: stepNo, kind })),
  timers_next: (database, tx) => {
    const next = Math.min(...database.timers.all(tx).map(({ dueAt }) => dueAt));
    return Number.isFinite(next) ? [{ in_ms: Math.max(0, next - database.clock()) }] : [];
  },
  runs_to_end: runsToEnd,
  epoch: (database) => [{ epoch: database.epoch }],
  same_epoch: (database, _tx, values) => {
    if (values.number(1) !== database.epoch) throw new DatabaseError('FF007', 'decided in another epoch');
    return [{ flowforge_same_epoch: true }];
  },
  idempotency_forget: () => [{ gone: 0 }],
  ensure_partitions: () => [{ made: 0, days: 62 }],
};
