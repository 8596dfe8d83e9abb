import { assertThat, decideRun, type DecisionLimits, type DecisionWants, type RunDecision, type RunEvent } from '#core';
import type { RunReader, StepKey, WritableDecision } from '#store';
import type { PlanCache } from '../plans/plan-cache.ts';
import { KnownRun } from './known-run.ts';
import type { RunEvaluator } from './run-evaluator.ts';

/** Reads and evaluations that one decision may ask for in turn: each ready step at most once, so a plan's size bounds it. */
const ASKS_MAX = 10_100;

export interface MadeDecision extends WritableDecision {
  readonly run: KnownRun;
}

/** Makes the decisions about many runs together: reads what they need in few statements, evaluates, decides in the core. Writes nothing. */
export class DecisionMaker {
  constructor(
    private readonly reader: RunReader,
    private readonly plans: PlanCache,
    private readonly evaluator: RunEvaluator,
    private readonly limits: DecisionLimits,
  ) {}

  /** Decisions about those of the runs that have not ended. */
  async decide(events: ReadonlyMap<string, readonly RunEvent[]>): Promise<MadeDecision[]> {
    const runs = await this.read(events);
    const made: MadeDecision[] = [];
    let open = runs;
    for (let asks = 0; open.length > 0; asks += 1) {
      assertThat(asks < ASKS_MAX, 'a decision comes to its end', { runs: open.length });
      const wanting: { run: KnownRun; wants: DecisionWants }[] = [];
      for (const run of open) {
        const outcome = decideRun(run.view(), run.events, run.evaluations, this.limits);
        if (outcome.kind === 'wants') wanting.push({ run, wants: outcome });
        else made.push(writable(run, outcome));
      }
      await this.answer(wanting);
      open = wanting.map(({ run }) => run);
    }
    return made;
  }

  private async read(events: ReadonlyMap<string, readonly RunEvent[]>): Promise<KnownRun[]> {
    const heads = await this.reader.heads([...events.keys()]);
    const runs = await Promise.all(
      heads.map(async (head) => new KnownRun(head, await this.plans.get(head.workflowId, head.workflowVersion), events.get(head.id) ?? [])),
    );
    await this.readSteps(runs.map((run) => ({ run, nos: run.rowsToBegin() })));
    return runs;
  }

  private async answer(wanting: readonly { run: KnownRun; wants: DecisionWants }[]): Promise<void> {
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

  private async readSteps(wanted: readonly { run: KnownRun; nos: readonly number[] }[]): Promise<void> {
    const keys: StepKey[] = wanted.flatMap(({ run, nos }) => nos.map((stepNo) => ({ runId: run.head.id, stepNo })));
    const byRun = Map.groupBy(await this.reader.steps(keys), (row) => row.runId);
    for (const { run, nos } of wanted) if (nos.length > 0) run.addSteps(nos, byRun.get(run.head.id) ?? []);
  }
}

function writable(run: KnownRun, decision: RunDecision): MadeDecision {
  return { run, decision, retryOf: run.head.retryOf, stepOf: (no) => run.planStep(no) };
}
