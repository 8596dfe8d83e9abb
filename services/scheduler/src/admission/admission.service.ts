import { randomUUID } from 'node:crypto';
import { decideAdmission, reusableSteps, type AdmissionDecision, type RunEvent } from '#core';
import {
  lockAndCount,
  type AdmissionReader,
  type Candidate,
  type HotTransaction,
  type PlacesTaken,
  type RunReader,
  type Scopes,
} from '#store';
import type { AdvanceService } from '../advance/advance.service.ts';
import type { DeploymentDirectory } from '../deployments/deployment-directory.ts';
import type { PlanCache } from '../plans/plan-cache.ts';

const ACTOR = 'scheduler:admission';
/** Passes over the queues in one go; the next wake-up goes on. */
const PASSES_MAX = 1_000;

/** Lets queued runs start where limits have room: two statements under the scopes' locks, so that a limit of 20 never shows 21. */
export class AdmissionService {
  constructor(
    private readonly admissions: AdmissionReader,
    private readonly runs: RunReader,
    private readonly plans: PlanCache,
    private readonly advance: AdvanceService,
    private readonly deployments: DeploymentDirectory,
    private readonly perQueue: number,
  ) {}

  /** Admits as long as there is something to admit, or until a moment of `performance.now()`. Returns how many runs it let start. */
  async admitAll(until = Infinity): Promise<number> {
    let total = 0;
    let passFullKeys = false;
    for (let pass = 0; pass < PASSES_MAX; pass += 1) {
      const { admitted, looked } = await this.admitOnce(passFullKeys);
      total += admitted;
      if (performance.now() >= until) break;
      if (admitted > 0) continue;
      // A head that is full of runs which wait for their keys hides what stands behind them: look past them, once.
      if (passFullKeys || looked < this.perQueue) break;
      passFullKeys = true;
    }
    return total;
  }

  private async admitOnce(passFullKeys: boolean): Promise<{ admitted: number; looked: number }> {
    const candidates = await this.admissions.candidates(this.perQueue, passFullKeys);
    return { admitted: await this.admitSome(candidates), looked: candidates.length };
  }

  private async admitSome(candidates: readonly Candidate[]): Promise<number> {
    if (candidates.length === 0) return 0;
    const scopes = this.limitedScopes(candidates);
    const limited = scopes.deployments.length + scopes.teams.length + scopes.keys.length > 0;
    const firstLook = decideAdmission(candidates, limited ? await this.admissions.count(scopes) : new Map(), this.deployments);
    const events = await this.eventsFor(firstLook);
    if (events.size === 0) return 0;
    const { verdicts } = await this.advance.advance(events, limited ? (tx) => this.confirm(tx, scopes, candidates, events) : undefined);
    return [...verdicts].filter(([event, verdict]) => event.kind === 'admitted' && verdict === 'applied').length;
  }

  /** Decides once more under the locks: what the first look admitted, but no longer fits, is not written. */
  private async confirm(
    tx: HotTransaction,
    scopes: Scopes,
    candidates: readonly Candidate[],
    events: ReadonlyMap<string, RunEvent[]>,
  ): Promise<ReadonlySet<string>> {
    const taken: PlacesTaken = await lockAndCount(tx, scopes);
    const { admitted, held } = decideAdmission(candidates, taken, this.deployments);
    const kindOf = (runId: string) => events.get(runId)?.[0]?.kind;
    return new Set([
      ...admitted.filter((run) => kindOf(run.runId) === 'admitted').map((run) => run.runId),
      ...held.filter(({ run }) => kindOf(run.runId) === 'held').map(({ run }) => run.runId),
    ]);
  }

  private limitedScopes(candidates: readonly Candidate[]): Scopes {
    const deployments = new Set(candidates.map((run) => run.deploymentId).filter((id) => this.deployments.deployment(id) !== null));
    const teams = new Set(candidates.map((run) => run.team).filter((team) => team !== '' && this.deployments.team(team) !== null));
    const keys = new Map(
      candidates.flatMap(({ workflowId, concurrencyKey, concurrencyLimit }) =>
        concurrencyKey !== null && concurrencyLimit !== null
          ? [[`${workflowId} ${concurrencyKey}`, { workflowId, key: concurrencyKey }] as const]
          : [],
      ),
    );
    return { deployments: [...deployments], teams: [...teams], keys: [...keys.values()] };
  }

  private async eventsFor({ admitted, held }: AdmissionDecision): Promise<Map<string, RunEvent[]>> {
    const reused = await this.reusedBy(admitted.filter((run) => !run.began).map((run) => run.runId));
    const events = new Map<string, RunEvent[]>();
    for (const { runId } of admitted) {
      events.set(runId, [{ kind: 'admitted', causeId: randomUUID(), actor: ACTOR, reused: reused.get(runId) ?? [] }]);
    }
    for (const { run, reason } of held) events.set(run.runId, [{ kind: 'held', causeId: randomUUID(), actor: ACTOR, reason }]);
    return events;
  }

  /** For runs that retry another: the steps they take over. */
  private async reusedBy(runIds: readonly string[]): Promise<Map<string, number[]>> {
    const retries = (await this.runs.heads(runIds)).filter((head) => head.retryOf !== null);
    const rows = await this.runs.steps(retries.map((head) => ({ runId: head.retryOf ?? '', stepNo: 0 })));
    const byRun = Map.groupBy(rows, (row) => row.runId);
    const reused = await Promise.all(
      retries.map(async (head) => {
        const { plan } = await this.plans.get(head.workflowId, head.workflowVersion);
        const ended = new Map((byRun.get(head.retryOf ?? '') ?? []).map((row) => [row.no, row]));
        return [head.id, reusableSteps(plan, ended)] as const;
      }),
    );
    return new Map(reused);
  }
}
