import type { RunCommand, RunSummary } from '#contracts';
import { DomainError, type Principal, type RunState, isTerminalRun } from '#core';
import {
  type HotTransaction,
  type NewRun,
  type RunAction,
  type RunSummaryRow,
  type RunViews,
  cancelRun,
  findLiveRetry,
  submitRuns,
  takeRunIds,
} from '#store';
import type { ApiMetrics } from '../api-metrics.ts';
import { isId } from '../http/cursor.ts';
import type { CommandLanes } from './command-lanes.ts';
import type { PreparedRun, RunPreparer } from './run-preparer.ts';
import type { RunWakeups } from './run-wakeups.ts';
import type { StartPlaces } from './start-places.ts';
import { summaryOf } from './started-run.ts';

/** What people do to runs: compare-and-set writes, after which the scheduler is woken. */
export class RunCommands {
  constructor(
    private readonly lanes: CommandLanes,
    private readonly views: RunViews,
    private readonly places: StartPlaces,
    private readonly preparer: RunPreparer,
    private readonly wakeups: RunWakeups,
    private readonly metrics: ApiMetrics,
  ) {}

  /**
   * Cancels a run: CANCELLING at once, CANCELLED when its steps have ended. Cancelling a run that is being cancelled changes nothing. Throws
   * `run.unknown`, and `run.state_conflict` for a run that has ended or has another version than expected.
   */
  async cancel(runId: string, body: RunCommand, caller: Principal): Promise<RunSummaryRow> {
    const command = actionOf(runId, body, caller);
    const outcome = await this.lanes.use((connection) => cancelRun(connection, command));
    if (!outcome) throw unknownRun(command.runId);
    const { moved, state, version } = outcome;
    if (moved) this.wakeups.moved(command.runId);
    else if (state !== 'CANCELLING' || command.expectedVersion !== null) throw this.conflict('cancel', command, state, version);
    return this.get(command.runId);
  }

  /**
   * Starts an ended run over as a new run of the same version and input; the scheduler takes over the steps that need not run again. Throws
   * `run.unknown`, `run.state_conflict` for a run that has not ended, has succeeded, or has another version than expected, and
   * `run.retry_under_way` while an earlier retry of it has not ended.
   */
  async retry(runId: string, body: RunCommand, caller: Principal): Promise<RunSummary> {
    const action = actionOf(runId, body, caller);
    const { run, place } = await this.prepareRetry(action);
    const createdAt = await this.lanes.use((connection) => connection.transaction((tx) => this.insertRetry(tx, action, run)));
    this.wakeups.submitted(1);
    this.metrics.deploymentSelected(place.target.matchedBy, place.target.environment, place.target.team, 1);
    return summaryOf(place, run, createdAt);
  }

  /** Everything of a retry that needs no lock: an ended run does not change any more. */
  private async prepareRetry(action: RunAction): Promise<PreparedRun> {
    const { runId, actor, reason, expectedVersion } = action;
    const ended = await this.views.findDetail(runId);
    if (!ended) throw unknownRun(runId);
    const { state, version, input, workflowId, environment, team } = ended;
    if (!isTerminalRun(state) || state === 'SUCCEEDED' || (expectedVersion !== null && version !== expectedVersion)) {
      throw this.conflict('retry', action, state, version);
    }
    const workflow = { id: workflowId, name: ended.workflow, enabled: true, environment, team, version: ended.workflowVersion };
    const [{ place, version: known }, [id = '']] = await Promise.all([
      this.places.findFor(workflow),
      this.lanes.use((connection) => takeRunIds(connection, 1)),
    ]);
    const concurrencyKey = known.plan.concurrency && (await this.preparer.keyOf(known, place, id, input, runId));
    return { place, run: { id, target: place.target, inputJson: JSON.stringify(input), actor, retryOf: runId, concurrencyKey, reason } };
  }

  private async insertRetry(tx: HotTransaction, { runId }: RunAction, run: NewRun): Promise<Date> {
    const liveRetry = await findLiveRetry(tx, runId);
    if (liveRetry !== null) throw this.underWay(runId, liveRetry);
    const { createdAt, outdated } = await submitRuns(tx, [run]);
    if (outdated.size > 0) throw new DomainError('invariant.broken', 'A retry has no workflow to be of.', { runId }, null, 'bug');
    return createdAt;
  }

  private async get(runId: string): Promise<RunSummaryRow> {
    const run = await this.views.find(runId);
    if (!run) throw unknownRun(runId);
    return run;
  }

  private conflict(
    command: 'cancel' | 'retry',
    { runId, expectedVersion }: Pick<RunAction, 'runId' | 'expectedVersion'>,
    state: RunState,
    version: number,
  ): DomainError {
    this.metrics.conflict(command);
    const moved = expectedVersion !== null && expectedVersion !== version;
    return new DomainError(
      'run.state_conflict',
      moved
        ? `The run has moved on: it is ${state} at version ${version}.`
        : `A run that is ${state} cannot be ${command === 'cancel' ? 'cancelled' : 'retried'}.`,
      { runId, command, state, version, expectedVersion },
      moved ? 'Read the run and decide again.' : REMEDIES[command],
    );
  }

  private underWay(runId: string, retryId: string): DomainError {
    this.metrics.conflict('retry');
    return new DomainError(
      'run.retry_under_way',
      'The run is being retried already.',
      { runId, retryRunId: retryId },
      'Wait for details.retryRunId, or cancel it.',
    );
  }
}

function actionOf(runId: string, { expectedVersion, reason }: RunCommand, caller: Principal): RunAction {
  if (!isId(runId)) throw unknownRun(runId);
  return { runId, actor: caller.name, reason: reason ?? null, expectedVersion: expectedVersion ?? null };
}

const REMEDIES = {
  cancel: 'The run has ended: there is nothing left to cancel.',
  retry: 'Only a run that failed, was cancelled or timed out can be retried; start a new run otherwise.',
} as const;

export function unknownRun(runId: string): DomainError {
  return new DomainError('run.unknown', 'There is no such run.', { runId: runId.slice(0, 100) }, 'GET /api/v1/runs lists them.');
}
