import { assertThat, decideRun, type DecisionLimits, type RunDecision, type RunEvent, type UnfinishedDecision } from '#core';
import type { RunHead, RunReader, RunStep, StepKey, WritableDecision } from '#store';
import type { PlanCache } from '../plans/plan-cache.ts';
import { KnownRun, rowsToBegin } from './known-run.ts';
import { isOutage } from './outage.ts';
import type { RunEvaluator } from './run-evaluator.ts';

/**
 * Reads and evaluations that one decision may ask for in turn: of each step that it makes ready at most what it waits for, the rows of its
 * needs, and its evaluation, so a plan's size bounds it.
 */
const ASKS_MAX = 3 * 10_000 + 100;

export interface MadeDecision extends WritableDecision {
  readonly run: KnownRun;
}

/** What became of the decisions about some runs. Those that have ended are in none of these. */
export interface MadeDecisions {
  readonly made: readonly MadeDecision[];
  /** Changed while they were being read, so that what was read does not fit together: to be decided again. */
  readonly changed: ReadonlySet<string>;
  /** Runs about which no decision can be made, with the reason: their rows make no sense, or we have a bug. */
  readonly broken: ReadonlyMap<string, string>;
}

/** A decision on its way. `wants`: what it has asked for. */
interface OpenDecision {
  readonly run: KnownRun;
  readonly wants?: UnfinishedDecision;
}

interface FailedRun {
  readonly rev: number;
  readonly error: unknown;
}

/** Makes the decisions about many runs together: reads what they need in few statements, evaluates, decides in the core. Writes nothing. */
export class DecisionMaker {
  constructor(
    private readonly reader: RunReader,
    private readonly plans: PlanCache,
    private readonly evaluator: RunEvaluator,
    private readonly limits: DecisionLimits,
  ) {}

  /**
   * Decides about those of the runs that have not ended. A run that no decision can be made about does not sink the others. `known`: runs that
   * were read just now.
   */
  async decide(events: ReadonlyMap<string, readonly RunEvent[]>, known: readonly RunHead[] = []): Promise<MadeDecisions> {
    const failed = new Map<string, FailedRun>();
    const made: MadeDecision[] = [];
    let open: OpenDecision[] = (await this.read(events, known, failed)).map((run) => ({ run }));
    for (let asks = 0; open.length > 0; asks += 1) {
      assertThat(asks < ASKS_MAX, 'a decision comes to its end', { runs: open.length });
      const wanting: Required<OpenDecision>[] = [];
      for (const { run, wants } of open) {
        const outcome = this.attempt(run, wants, failed);
        if (outcome?.kind === 'wants') wanting.push({ run, wants: outcome });
        else if (outcome) made.push(writable(run, outcome));
      }
      await this.answer(wanting);
      open = wanting;
    }
    return { made, ...(await this.tellApart(failed)) };
  }

  private attempt(
    run: KnownRun,
    wants: UnfinishedDecision | undefined,
    failed: Map<string, FailedRun>,
  ): RunDecision | UnfinishedDecision | null {
    try {
      const view = run.view();
      return wants?.wantsNext(view, run.evaluations) ?? decideRun(view, run.events, run.evaluations, this.limits);
    } catch (error) {
      failed.set(run.head.id, { rev: run.head.rev, error });
      return null;
    }
  }

  /** A view is read in several statements: only when the run still has the rev of the first one did they show what stands together. */
  private async tellApart(failed: ReadonlyMap<string, FailedRun>): Promise<Omit<MadeDecisions, 'made'>> {
    if (failed.size === 0) return { changed: new Set(), broken: new Map() };
    const revs = new Map((await this.reader.heads([...failed.keys()])).map((head) => [head.id, head.rev]));
    const broken = [...failed].filter(([id, { rev }]) => revs.get(id) === rev);
    const changed = [...failed.keys()].filter((id) => revs.get(id) !== failed.get(id)?.rev);
    return {
      changed: new Set(changed),
      broken: new Map(broken.map(([id, { error }]) => [id, error instanceof Error ? error.message : String(error)])),
    };
  }

  private async read(
    events: ReadonlyMap<string, readonly RunEvent[]>,
    known: readonly RunHead[],
    failed: Map<string, FailedRun>,
  ): Promise<KnownRun[]> {
    const byId = new Map(known.map((head) => [head.id, head]));
    const unread = [...events.keys()].filter((id) => !byId.has(id));
    const nosOf = new Map(unread.map((id) => [id, rowsToBegin(events.get(id) ?? [])]));
    const [heads, rows] = await Promise.all([
      this.reader.heads(unread),
      this.reader.steps([...nosOf].flatMap(([runId, nos]) => nos.map((stepNo) => ({ runId, stepNo })))),
    ]);
    const begun = await Promise.all([...known, ...heads].map(async (head) => this.known(head, events.get(head.id) ?? [], failed)));
    const runs = begun.filter((run) => run !== null);
    giveSteps(
      runs.map((run) => ({ run, nos: nosOf.get(run.head.id) ?? [] })),
      rows,
    );
    return runs;
  }

  private async known(head: RunHead, events: readonly RunEvent[], failed: Map<string, FailedRun>): Promise<KnownRun | null> {
    try {
      return new KnownRun(head, await this.plans.get(head.workflowId, head.workflowVersion), events);
    } catch (error) {
      if (isOutage(error)) throw error;
      failed.set(head.id, { rev: head.rev, error });
      return null;
    }
  }

  private async answer(wanting: readonly Required<OpenDecision>[]): Promise<void> {
    if (wanting.length === 0) return;
    const joins = wanting.flatMap(({ run, wants }) => wants.unmet.map((stepNo) => ({ runId: run.head.id, stepNo })));
    const [unmet] = await Promise.all([
      this.reader.unmet(joins),
      this.readSteps(wanting.map(({ run, wants }) => ({ run, nos: wants.rows === 'all' ? [0] : wants.rows }))),
      this.evaluator.evaluate(wanting.filter(({ wants }) => wants.evaluations.length > 0)),
    ]);
    const byRun = Map.groupBy(unmet, (row) => row.runId);
    for (const { run, wants } of wanting) {
      run.addUnmet(wants.unmet, new Map(byRun.get(run.head.id)?.map((row) => [row.stepNo, row.unmet])));
    }
  }

  private async readSteps(wanted: readonly WantedSteps[]): Promise<void> {
    const keys: StepKey[] = wanted.flatMap(({ run, nos }) => nos.map((stepNo) => ({ runId: run.head.id, stepNo })));
    giveSteps(wanted, await this.reader.steps(keys));
  }
}

/** Steps of a run that were asked for; 0: all. */
interface WantedSteps {
  readonly run: KnownRun;
  readonly nos: readonly number[];
}

function giveSteps(wanted: readonly WantedSteps[], rows: readonly RunStep[]): void {
  const byRun = Map.groupBy(rows, (row) => row.runId);
  for (const { run, nos } of wanted) if (nos.length > 0) run.addSteps(nos, byRun.get(run.head.id) ?? []);
}

function writable(run: KnownRun, decision: RunDecision): MadeDecision {
  return { run, decision, retryOf: run.head.retryOf, stepOf: (no) => run.planStep(no) };
}
