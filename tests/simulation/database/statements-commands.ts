import { RUN_MOVES, newRunId, type Json } from '#core';
import { auditNewRun, auditRun } from './audit.ts';
import type { RunRow } from './rows.ts';
import type { StatementWork } from './statement-work.ts';

const runsSubmit: StatementWork = (database, tx, values) => {
  const [ids, targets, inputs, actors, retries, keys, reasons] = [1, 2, 3, 4, 5, 6, 7].map((place) => values.list(place));
  const [workflows, versions, environments, teams, deployments, , steps, timeouts, priorities, limits] = [
    8, 9, 10, 11, 12, 13, 14, 15, 16, 17,
  ].map((place) => values.list(place));
  ids?.forEach((given, at) => {
    const target = Number(targets?.[at]) - 1;
    const id = String(given);
    const text = (column: readonly unknown[] | undefined, place: number) => (column?.[place] as string | null | undefined) ?? null;
    const number = (column: readonly unknown[] | undefined) => (column?.[target] as number | null | undefined) ?? null;
    const row: RunRow = {
      id,
      workflowId: text(workflows, target) ?? '',
      workflowVersion: number(versions) ?? 0,
      environment: text(environments, target),
      team: text(teams, target),
      deploymentId: text(deployments, target) ?? '',
      retryOf: text(retries, at),
      state: 'CREATED',
      via: null,
      version: 1,
      causeId: database.uuid(),
      actor: text(actors, at) ?? '',
      reason: text(reasons, at),
      createdAt: tx.now,
      endedAt: null,
    };
    database.runs.insert(tx, id, row);
    const input = text(inputs, at) ?? '{}';
    if (input !== '{}') database.inputs.insert(tx, id, JSON.parse(input) as Json);
    const timeoutSeconds = number(timeouts);
    const concurrencyKey = text(keys, at);
    database.live.insert(tx, id, {
      ...{ runId: id, rev: 1, phase: 'queued', remaining: number(steps) ?? 0, active: 0, waiting: 0, failed: false, began: false },
      ...{
        deploymentId: row.deploymentId,
        workflowId: row.workflowId,
        team: row.team ?? '',
        priority: number(priorities) ?? 0,
        concurrencyKey,
      },
      concurrencyLimit: concurrencyKey === null ? null : number(limits),
      deadlineAt: timeoutSeconds === null ? null : tx.now + timeoutSeconds * 1000,
      queuedAt: tx.now,
    });
    auditNewRun(database, tx, row);
  });
  return [{ created_at: new Date(tx.now), outdated: [] }];
};

const runCancel: StatementWork = (database, tx, values) => {
  const id = values.text(1);
  const run = database.runs.get(tx, id);
  if (!run) return [];
  const expected = values.numberOrNull(4) ?? run.version;
  const leaves: readonly string[] = RUN_MOVES[run.state];
  if (!leaves.includes('CANCELLING') || run.version !== expected) return [{ state: run.state, version: run.version, moved: false }];
  const moved: RunRow = {
    ...run,
    ...{
      state: 'CANCELLING',
      via: null,
      version: run.version + 1,
      causeId: database.uuid(),
      actor: values.text(2),
      reason: values.textOrNull(3),
    },
  };
  database.runs.put(tx, id, moved);
  auditRun(database, tx, run, moved);
  const live = database.live.get(tx, id);
  if (live) database.live.put(tx, id, { ...live, rev: live.rev + 1, phase: 'cancelling' });
  return [{ state: moved.state, version: moved.version, moved: true }];
};

/** What the api sends: new runs, cancels, retries. */
export const commandStatements: Readonly<Record<string, StatementWork>> = {
  runs_submit: runsSubmit,
  run_cancel: runCancel,
  run_ids_take: (database, tx, values) => Array.from({ length: values.number(1) }, () => ({ id: newRunId(tx.now, database.uuid()) })),
  runs_exist: (database, tx, values) =>
    values.texts(1).flatMap((id) => {
      const run = database.runs.get(tx, id);
      return run ? [{ id, created_at: new Date(run.createdAt) }] : [];
    }),
  live_hold: (database, tx, values) => {
    const id = values.text(1);
    if (!database.live.get(tx, id)) return [];
    tx.lock(`run ${id}`);
    return [{ rev: database.live.get(tx, id)?.rev }];
  },
  run_hold: (database, tx, values) => {
    const id = values.text(1);
    if (!database.runs.get(tx, id)) return [];
    tx.lock(`ended run ${id}`);
    return [{ id }];
  },
  run_live_retry: (database, tx, values) => {
    const of = values.text(1);
    const retry = database.runs.all(tx).find((run) => run.retryOf === of && database.live.get(tx, run.id));
    return retry ? [{ id: retry.id }] : [];
  },
};
