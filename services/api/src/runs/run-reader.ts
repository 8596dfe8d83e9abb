import type { LogPage, LogsQuery, RunsQuery, StepsQuery } from '#contracts';
import { DomainError, type Json, type PlanStep } from '#core';
import type { LogLineRow, RunSummaryRow, RunViews, StepRow, TransitionRow } from '#store';
import { cursorOf, idFrom, isId, numbersFrom, pageFrom } from '../http/cursor.ts';
import type { KnownVersion, VersionCache } from '../workflows/version-cache.ts';
import { unknownRun } from './run-commands.ts';
import { unknownWorkflow } from './run-preparer.ts';
import { type StepView, stepView } from './step-view.ts';

/** Outputs of sink steps that a run shows; the others are read step by step. */
const OUTPUTS_SHOWN_MAX = 200;

/** Rows of a page; times are Dates, which JSON writes as the contracts say. */
interface PageOf<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}

/** Reads runs with what their versions say of them. All methods throw `run.unknown`. */
export class RunReader {
  constructor(
    private readonly views: RunViews,
    private readonly versions: VersionCache,
  ) {}

  async list({ cursor, limit, state, ...filter }: RunsQuery): Promise<PageOf<RunSummaryRow>> {
    const read = await this.views.list({ ...filter, states: state }, idFrom('run', cursor), limit + 1);
    return pageFrom(read, limit, (last) => cursorOf('run', last.id));
  }

  /** The runs of one workflow. Throws `workflow.unknown` for what cannot be an id. */
  listOf(workflowId: string, query: Omit<RunsQuery, 'workflowId'>): Promise<PageOf<RunSummaryRow>> {
    if (!isId(workflowId)) throw unknownWorkflow(workflowId);
    return this.list({ ...query, workflowId });
  }

  async detail(
    runId: string,
  ): Promise<RunSummaryRow & { input: Json; output: Record<string, Json> | null; steps: { total: number; remaining: number } }> {
    const found = isId(runId) ? await this.views.findDetail(runId) : undefined;
    if (!found) throw unknownRun(runId);
    const { remaining, ...run } = found;
    const version = await this.versions.get(run.workflowId, run.workflowVersion);
    const output = run.state === 'SUCCEEDED' ? await this.outputOf(runId, version.sinks.slice(0, OUTPUTS_SHOWN_MAX)) : null;
    return { ...run, output, steps: { total: version.plan.steps.length, remaining } };
  }

  async steps(runId: string, { cursor, limit, state }: StepsQuery): Promise<PageOf<StepView>> {
    const { version } = await this.find(runId);
    const [after = 0] = numbersFrom('step', cursor, 1) ?? [];
    const wanted = state ? await this.numbersIn(runId, version, new Set<string>(state)) : version.plan.steps.map((step) => step.no);
    const numbers = wanted.filter((no) => no > after).slice(0, limit + 1);
    const rows = new Map((await this.views.steps(runId, numbers)).map((row) => [row.stepNo, row]));
    const steps = numbers.flatMap((no) => viewOf(version, no, rows));
    return pageFrom(steps, limit, (last) => cursorOf('step', last.stepNo));
  }

  /** One step by its name or number, with its output. Throws `step.unknown` as well. */
  async step(runId: string, nameOrNo: string): Promise<StepView & { output: Json }> {
    const { version } = await this.find(runId);
    const { no } = stepOf(version, nameOrNo);
    const [rows, outputs] = await Promise.all([this.views.steps(runId, [no]), this.views.outputs(runId, [no])]);
    const [view] = viewOf(version, no, new Map(rows.map((row) => [row.stepNo, row])));
    if (!view) throw unknownStep(nameOrNo);
    return { ...view, output: outputs[0]?.output ?? null };
  }

  async transitions(runId: string, { cursor, limit }: { cursor?: string | undefined; limit: number }): Promise<PageOf<TransitionRow>> {
    await this.find(runId);
    const [after = 0] = numbersFrom('transition', cursor, 1) ?? [];
    const read = await this.views.transitions(runId, after, limit + 1);
    return pageFrom(read, limit, (last) => cursorOf('transition', last.seq));
  }

  async logs(runId: string, { cursor, limit, step }: LogsQuery): Promise<PageOf<LogLineRow> & Pick<LogPage, 'tailCursor'>> {
    const { version } = await this.find(runId);
    const [stepNo, dispatchNo, line] = numbersFrom('log', cursor, 3) ?? [];
    const after = stepNo === undefined || dispatchNo === undefined || line === undefined ? null : ([stepNo, dispatchNo, line] as const);
    const read = await this.views.logs(runId, step === undefined ? null : stepOf(version, step).no, after, limit + 1);
    const cursorAt = (last: LogLineRow) => cursorOf('log', last.stepNo, last.dispatchNo, last.line);
    const page = pageFrom(read, limit, cursorAt);
    const last = page.items.at(-1);
    return { ...page, tailCursor: last ? cursorAt(last) : (cursor ?? null) };
  }

  /** A run with its version. */
  async find(runId: string): Promise<{ run: RunSummaryRow; version: KnownVersion }> {
    const run = isId(runId) ? await this.views.find(runId) : undefined;
    if (!run) throw unknownRun(runId);
    return { run, version: await this.versions.get(run.workflowId, run.workflowVersion) };
  }

  private async outputOf(runId: string, sinks: readonly PlanStep[]): Promise<Record<string, Json>> {
    const outputs = await this.views.outputs(
      runId,
      sinks.map((step) => step.no),
    );
    const byNo = new Map(outputs.map(({ stepNo, output }) => [stepNo, output]));
    return Object.fromEntries(sinks.map((step) => [step.name, byNo.get(step.no) ?? null]));
  }

  /** Numbers of the steps in these states; a step without a row is PENDING. */
  private async numbersIn(runId: string, { plan }: KnownVersion, states: ReadonlySet<string>): Promise<number[]> {
    const stateOf = new Map((await this.views.stepStates(runId)).map(({ stepNo, state }) => [stepNo, state]));
    return plan.steps.map((step) => step.no).filter((no) => states.has(stateOf.get(no) ?? 'PENDING'));
  }
}

function viewOf({ plan }: KnownVersion, no: number, rows: ReadonlyMap<number, StepRow>): StepView[] {
  const step = plan.steps[no - 1];
  return step ? [stepView(plan, step, rows.get(no))] : [];
}

function stepOf({ plan, stepsByName }: KnownVersion, nameOrNo: string): PlanStep {
  const step = stepsByName.get(nameOrNo) ?? (/^\d{1,6}$/.test(nameOrNo) ? plan.steps[Number(nameOrNo) - 1] : undefined);
  if (!step) throw unknownStep(nameOrNo);
  return step;
}

function unknownStep(nameOrNo: string): DomainError {
  return new DomainError('step.unknown', 'The run has no such step.', { step: nameOrNo.slice(0, 128) }, 'GET …/steps lists them.');
}
