import {
  SKIP_REASONS,
  readsOf,
  type DecisionWants,
  type EvaluationWant,
  type Json,
  type PlanStep,
  type StepEvaluation,
  type StepView,
} from '#core';
import type { Evaluator } from '#definitions';
import type { RunReader, StepKey } from '#store';
import type { KnownRun } from './known-run.ts';

/** Evaluations that one run wants before its decision can be made. */
export interface EvaluationRequest {
  readonly run: KnownRun;
  readonly wants: DecisionWants;
}

interface SeenStep {
  readonly output: Json;
  readonly state: string;
}

/** Evaluations of one batch under way at once. Far fewer than may wait for the evaluator's thread: no fan-out is refused for its width. */
const AT_ONCE_MAX = 200;

/**
 * Evaluates the conditions and inputs of ready steps, many runs at a time. What an expression may look at is known from the plan, so one
 * read brings the outputs of just those steps; what the decision itself has brought about comes before what rows tell.
 */
export class RunEvaluator {
  constructor(
    private readonly reader: RunReader,
    private readonly evaluator: Evaluator,
  ) {}

  /** Adds the results to each run's evaluations. Rejects with an outage when evaluations cannot be made now. */
  async evaluate(requests: readonly EvaluationRequest[]): Promise<void> {
    const keys = requests.flatMap((request) => rowsToRead(request));
    const runIds = [...new Set(requests.map(({ run }) => run.head.id))];
    const [inputs, outputs, states] = await Promise.all([this.reader.inputs(runIds), this.reader.outputs(keys), this.reader.steps(keys)]);
    const outputOf = new Map(outputs.map((row) => [`${row.runId} ${row.stepNo}`, row.output]));
    const stateOf = new Map(states.map((row) => [`${row.runId} ${row.no}`, stateSeen(row)]));
    const wanted = requests.flatMap(({ run, wants }) => {
      const drafts = new Map(wants.drafted.map((step) => [step.no, step]));
      const seen = (no: number): SeenStep => {
        const drafted = run.takesOver.has(no) ? undefined : drafts.get(no);
        const key = `${sourceOf(run, no)} ${no}`;
        return drafted ?? { output: outputOf.get(key) ?? null, state: stateOf.get(key) ?? 'PENDING' };
      };
      return wants.evaluations.map((want) => ({ run, want, seen }));
    });
    await eachOf(wanted, async ({ run, want, seen }) => {
      run.evaluations.set(want.no, await this.evaluateOne(run, want, inputs.get(run.head.id) ?? {}, seen));
    });
  }

  private evaluateOne(run: KnownRun, want: EvaluationWant, input: Json, seen: (no: number) => SeenStep): Promise<StepEvaluation> {
    const planned = run.planStep(want.no);
    const steps = Object.fromEntries(readsOf(planned).map((no) => [run.planStep(no).name, seen(no)]));
    const { id, workflowVersion, environment, team, retryOf } = run.head;
    const about = { id, workflow: run.workflow, version: workflowVersion, environment, team, attemptOf: retryOf };
    return this.evaluator.evaluateStep(want.inputOnly ? withoutCondition(planned) : planned, {
      input,
      steps,
      run: about,
      failed: want.failed,
    });
  }
}

/** The rows behind the steps that a run's expressions name; steps that a retry takes over are read from the run it retries. */
function rowsToRead({ run, wants }: EvaluationRequest): StepKey[] {
  const named = new Set(wants.evaluations.flatMap(({ no }) => readsOf(run.planStep(no))));
  return [...named].map((stepNo) => ({ runId: sourceOf(run, stepNo), stepNo }));
}

/** A step that a retry took over has succeeded, as far as expressions go: they answer what they answered in the run that it retries. */
function stateSeen({ state, reason }: StepView): string {
  return reason === SKIP_REASONS.reused ? 'SUCCEEDED' : state;
}

/** Before a retry's first commit the outputs that it takes over stand only with the run it retries. */
function sourceOf(run: KnownRun, no: number): string {
  return run.head.retryOf !== null && run.takesOver.has(no) ? run.head.retryOf : run.head.id;
}

/** Works through all items, so many at a time: each worker takes the next one from the iterator that they share. */
async function eachOf<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const rest = items.values();
  const worker = async (): Promise<void> => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE_MAX, items.length) }, worker));
}

/** A step that was sent before has met its condition: it is not asked again, and `failed` needs do not skip it. */
function withoutCondition(step: PlanStep): PlanStep {
  return { ...step, condition: { source: 'true', steps: [], readsFailed: true, heavy: false } };
}
