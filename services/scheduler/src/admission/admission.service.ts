import { randomUUID } from 'node:crypto';
import { decideAdmission, idAt, momentOf, reusableSteps, type AdmissionDecision, type RunEvent } from '#core';
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
/** At the latest so long after the last one, all queues are looked at: an id may be older than those that were committed before it. */
const EVERYBODY_EVERY_MS = 1_000;
/** Ids are made before their runs are committed, by several apis: newcomers are looked for from so long before the newest that was seen. */
const COMMITTED_WITHIN_MS = 2_000;

const LOWEST_ID = '00000000-0000-0000-0000-000000000000';

/** How a pass looks at the queues. */
interface Look {
  /** The id from which on a run can be new; null: all queues are looked at. */
  readonly from: string | null;
  /** Past the runs whose concurrency key is full. */
  readonly passFullKeys: boolean;
  /** As if no place were taken: only the count under the locks tells. */
  readonly hopeful: boolean;
}

/** Lets queued runs start where limits have room: two statements under the scopes' locks, so that a limit of 20 never shows 21. */
export class AdmissionService {
  private someoneWaits = true;
  private newest: string | null = null;
  private everybodyAt = -Infinity;

  constructor(
    private readonly admissions: AdmissionReader,
    private readonly runs: RunReader,
    private readonly plans: PlanCache,
    private readonly advance: AdvanceService,
    private readonly deployments: DeploymentDirectory,
    private readonly perQueue: number,
  ) {}

  /**
   * Whether a run may wait for a place that becomes free. False only after a look that admitted all it found, and until the next one begins:
   * what is queued later rings for itself, and what comes late under an older id is found within a second.
   */
  get mayAwaitPlaces(): boolean {
    return this.someoneWaits;
  }

  /** The next look is at all queues: a run came back to one under its old id. */
  lookAtEverybody(): void {
    this.everybodyAt = -Infinity;
  }

  /** Admits as long as there is something to admit, or until a moment of `performance.now()`. Returns how many runs it let start. */
  async admitAll(until = Infinity): Promise<number> {
    let total = 0;
    // Where nobody waits, limits hardly hold anybody.
    let look: Look = { from: this.firstNew(), passFullKeys: false, hopeful: !this.someoneWaits };
    this.someoneWaits = true;
    for (let pass = 0; pass < PASSES_MAX; pass += 1) {
      const { admitted, looked } = await this.admitOnce(look);
      total += admitted;
      this.someoneWaits = admitted < looked || looked >= this.perQueue || look.passFullKeys;
      if (!this.someoneWaits || performance.now() >= until) break;
      // A head that is full of runs which wait for their keys hides what stands behind them: look past them, once.
      const stuck = admitted === 0 && !look.hopeful;
      if (stuck && (look.passFullKeys || looked < this.perQueue)) break;
      look = { from: null, passFullKeys: look.passFullKeys || stuck, hopeful: false };
    }
    return total;
  }

  private firstNew(): string | null {
    const isTime = performance.now() - this.everybodyAt > EVERYBODY_EVERY_MS;
    return this.someoneWaits || isTime || this.newest === null ? null : idAt(momentOf(this.newest) - COMMITTED_WITHIN_MS, LOWEST_ID);
  }

  private async admitOnce(look: Look): Promise<{ admitted: number; looked: number }> {
    const candidates = await this.candidates(look);
    for (const { runId } of candidates) if (this.newest === null || runId > this.newest) this.newest = runId;
    return { admitted: await this.admitSome(candidates, look.hopeful), looked: candidates.length };
  }

  private async candidates({ from, passFullKeys }: Look): Promise<readonly Candidate[]> {
    if (from !== null) return this.admissions.newcomers(from, this.perQueue);
    this.everybodyAt = performance.now();
    return this.admissions.candidates(this.perQueue, passFullKeys);
  }

  private async admitSome(candidates: readonly Candidate[], hopeful: boolean): Promise<number> {
    if (candidates.length === 0) return 0;
    const scopes = this.limitedScopes(candidates);
    const limited = scopes.deployments.length + scopes.teams.length + scopes.keys.length > 0;
    const taken: PlacesTaken = limited && !hopeful ? await this.admissions.count(scopes) : new Map();
    const firstLook = decideAdmission(candidates, taken, this.deployments);
    const events = await this.eventsFor(candidates, firstLook);
    if (events.size === 0) return 0;
    const heads = candidates.flatMap((run) => (run.head && events.has(run.runId) ? [run.head] : []));
    const confirm = limited ? (tx: HotTransaction) => this.confirm(tx, scopes, candidates, events) : undefined;
    const { verdicts } = await this.advance.advance(events, confirm, heads);
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

  private async eventsFor(candidates: readonly Candidate[], { admitted, held }: AdmissionDecision): Promise<Map<string, RunEvent[]>> {
    const beginning = new Set(admitted.filter((run) => !run.began).map((run) => run.runId));
    const retries = candidates.flatMap(({ runId, retryOf }) =>
      retryOf !== null && beginning.has(runId) ? [[runId, retryOf] as const] : [],
    );
    const reused = await this.reusedBy(new Map(retries));
    const events = new Map<string, RunEvent[]>();
    for (const { runId } of admitted) {
      events.set(runId, [{ kind: 'admitted', causeId: randomUUID(), actor: ACTOR, reused: reused.get(runId) ?? [] }]);
    }
    for (const { run, reason } of held) events.set(run.runId, [{ kind: 'held', causeId: randomUUID(), actor: ACTOR, reason }]);
    return events;
  }

  /** The steps that runs take over from those that they retry, which stand beside them. */
  private async reusedBy(retries: ReadonlyMap<string, string>): Promise<Map<string, number[]>> {
    if (retries.size === 0) return new Map();
    const steps = [...retries.values()].map((runId) => ({ runId, stepNo: 0 }));
    const [heads, rows] = await Promise.all([this.runs.heads([...retries.keys()]), this.runs.steps(steps)]);
    const byRun = Map.groupBy(rows, (row) => row.runId);
    const reused = await Promise.all(
      heads.map(async ({ id, workflowId, workflowVersion }) => {
        const { plan } = await this.plans.get(workflowId, workflowVersion);
        const ended = new Map((byRun.get(retries.get(id) ?? '') ?? []).map((row) => [row.no, row]));
        return [id, reusableSteps(plan, ended)] as const;
      }),
    );
    return new Map(reused);
  }
}
