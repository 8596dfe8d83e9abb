import { streams } from '#contracts';
import { isTerminalRun } from '#core';
import { EXPLAINED_MAX, type LiveRow, type RunBlockers, type RunSummaryRow, type RunViews } from '#store';
import type { RunReader } from '../runs/run-reader.ts';
import { type LimitFact, blockersOf, summarise, triedFor } from './explain.ts';

/** Tells in one call why a run is where it is. */
export class RunExplainer {
  constructor(
    private readonly reader: RunReader,
    private readonly views: RunViews,
    private readonly blockers: RunBlockers,
    /** Runs that may be RUNNING in a deployment without a limit of its own. */
    private readonly deploymentRunsMax: number,
  ) {}

  /** Throws `run.unknown`. */
  async explain(runId: string) {
    const { run, version } = await this.reader.find(runId);
    const { environment, team, deployment, matchedBy, state, reason } = run;
    const ended = isTerminalRun(state);
    const [live, sessions, activeSteps, states] = await Promise.all([
      ended ? undefined : this.blockers.findLive(runId),
      this.blockers.sessions(deployment.id),
      ended ? [] : this.blockers.activeSteps(runId, deployment.id),
      ended ? [] : this.views.stepStates(runId),
    ]);
    const { waitsFor, cut } = blockersOf(
      {
        run,
        live,
        limits: live?.phase === 'queued' ? await this.limitsOf(run, live) : [],
        workersAlive: sessions.filter(({ alive }) => alive).length,
        activeSteps,
        steps: version.plan.steps,
        stateOf: new Map(states.map((step) => [step.stepNo, step.state])),
      },
      EXPLAINED_MAX,
    );
    return {
      runId,
      state,
      reason,
      summary: summarise(state, deployment.name, reason, waitsFor),
      resolution: { environment, team, deployment, matchedBy, tried: triedFor(environment, team, matchedBy) },
      waitsFor,
      cut,
      workers: sessions,
      stream: streams.tasks(deployment.name),
      deadlineAt: live?.deadlineAt ?? null,
    };
  }

  private async limitsOf({ deployment }: RunSummaryRow, live: LiveRow): Promise<LimitFact[]> {
    const limits: LimitFact[] = [
      {
        scope: 'deployment',
        key: deployment.name,
        limit: live.deploymentLimit ?? this.deploymentRunsMax,
        held: await this.blockers.runningIn(live.deploymentId),
      },
    ];
    if (live.teamLimit !== null)
      limits.push({ scope: 'team', key: live.team, limit: live.teamLimit, held: await this.blockers.runningOf(live.team) });
    if (live.concurrencyKey !== null && live.concurrencyLimit !== null) {
      const held = await this.blockers.holdingKey(live.workflowId, live.concurrencyKey);
      limits.push({ scope: 'concurrency_key', key: live.concurrencyKey, limit: live.concurrencyLimit, held });
    }
    return limits;
  }
}
