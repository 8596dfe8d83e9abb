import { stepKey, type Database } from './database.ts';
import type { StepRow } from './rows.ts';
import type { StatementWork } from './statement-work.ts';
import type { Transaction } from './transaction.ts';

/** What a decision knows of a run before it looks at steps; none of a run that has ended. */
export function headsOf(database: Database, tx: Transaction, id: string): object[] {
  const run = database.runs.get(tx, id);
  const live = database.live.get(tx, id);
  if (!run || !live) return [];
  const { environment, team, state, version } = run;
  const { rev, remaining, active, waiting, failed } = live;
  return [
    {
      ...{ id, environment, team, state, version, rev, remaining, active, waiting, failed },
      ...{ workflow_id: run.workflowId, workflow_version: run.workflowVersion, deployment_id: run.deploymentId, retry_of: run.retryOf },
    },
  ];
}

const runsView: StatementWork = (database, tx, values) => values.texts(1).flatMap((id) => headsOf(database, tx, id));

const stepsView: StatementWork = (database, tx, values) => {
  const wanted = values.rows().map((row) => ({ runId: row.text(1), stepNo: row.number(2) }));
  const named = wanted
    .filter(({ stepNo }) => stepNo !== 0)
    .flatMap(({ runId, stepNo }) => database.steps.get(tx, stepKey(runId, stepNo)) ?? []);
  const whole = wanted
    .filter(({ stepNo }) => stepNo === 0)
    .flatMap(({ runId }) => database.steps.all(tx).filter((step) => step.runId === runId));
  return [...named, ...whole].map(viewOf);
};

function viewOf(step: StepRow): object {
  const { state, version, epoch, attempt, reason } = step;
  return {
    ...{ run_id: step.runId, step_no: step.stepNo, state, version, epoch, attempt, reason },
    ...{ dispatch_no: step.dispatchNo, worker_losses: step.workerLosses },
  };
}

/** What decisions read. */
export const readingStatements: Readonly<Record<string, StatementWork>> = {
  runs_view: runsView,
  steps_view: stepsView,
  waits_view: (database, tx, values) =>
    values.rows().flatMap((row) => {
      const wait = database.waits.get(tx, stepKey(row.text(1), row.number(2)));
      return wait ? [{ run_id: wait.runId, step_no: wait.stepNo, unmet: wait.unmet }] : [];
    }),
  outputs_view: (database, tx, values) =>
    values.rows().flatMap((row) => {
      const output = database.outputs.get(tx, stepKey(row.text(1), row.number(2)));
      return output ? [{ run_id: output.runId, step_no: output.stepNo, output: output.output }] : [];
    }),
  inputs_view: (database, tx, values) =>
    values.texts(1).flatMap((id) => {
      const input = database.inputs.get(tx, id);
      return input === undefined ? [] : [{ run_id: id, input }];
    }),
  workflow_version: (database, _tx, values) => {
    const found = database.versions.get(`${values.text(1)} ${values.number(2)}`);
    return found ? [{ plan: found.plan, name: found.name }] : [];
  },
  deployments_all: (database) =>
    [...database.deployments.values()].map(({ id, name, concurrencyLimit }) => ({ id, name, concurrency_limit: concurrencyLimit })),
  teams_all: (database) =>
    [...database.teams.values()].map(({ name, concurrencyLimit, weight }) => ({ name, concurrency_limit: concurrencyLimit, weight })),
};
