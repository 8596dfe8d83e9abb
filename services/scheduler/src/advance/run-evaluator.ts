import type { DecisionWants, EvaluationWant, Json, PlanStep, StepEvaluation } from '#core';
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
    const stateOf = new Map(states.map((row) => [`${row.runId} ${row.no}`, row.state as string]));
    await Promise.all(
      requests.flatMap(({ run, wants }) =>
        wants.evaluations.map(async (want) => {
          const seen = (no: number): SeenStep => {
            const drafted = wants.drafted.find((step) => step.no === no);
            const source = sourceOf(run, wants, no);
            const output = outputOf.get(`${source} ${no}`) ?? null;
            return {
              output: drafted && !isTakenOver(run, no) ? drafted.output : output,
              state: drafted?.state ?? stateOf.get(`${source} ${no}`) ?? 'PENDING',
            };
          };
          run.evaluations.set(want.no, await this.evaluateOne(run, want, inputs.get(run.head.id) ?? {}, seen));
        }),
      ),
    );
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
  return [...named].map((stepNo) => ({ runId: sourceOf(run, wants, stepNo), stepNo }));
}

function sourceOf(run: KnownRun, _wants: DecisionWants, no: number): string {
  return run.head.retryOf !== null && isTakenOver(run, no) ? run.head.retryOf : run.head.id;
}

/** Before a retry's first commit the outputs that it takes over stand only with the run it retries. */
function isTakenOver(run: KnownRun, no: number): boolean {
  return run.takesOver.has(no);
}

function readsOf(step: PlanStep): number[] {
  return [...new Set([...(step.condition?.steps ?? []), ...(step.inputReads?.steps ?? [])])];
}

/** A step that was sent before has met its condition: it is not asked again, and `failed` needs do not skip it. */
function withoutCondition(step: PlanStep): PlanStep {
  return { ...step, condition: { source: 'true', steps: [], readsFailed: true, heavy: false } };
}
