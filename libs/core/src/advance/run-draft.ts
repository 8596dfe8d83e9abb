import { DomainError, assertThat } from '../errors.ts';
import type { Json } from '../json.ts';
import { readsOf, type Plan, type PlanStep } from '../plan.ts';
import { isTerminalRun, isTerminalStep, type RunState, type StepState } from '../states.ts';
import type {
  DecisionWants,
  EvaluationWant,
  EventVerdict,
  RunDecision,
  RunMove,
  StepMove,
  StepResult,
  TimerChange,
} from './run-decision.ts';
import type { DecisionLimits, RunEvent, RunView, StepErrorView, StepEvaluation, StepView } from './run-view.ts';

/** What a step's row would be after the decision, and the hops that lead there. */
export interface StepDraft extends StepView {
  readonly hops: readonly StepState[];
  readonly startedMsAgo: number | null;
}

type StepChange = Partial<Pick<StepDraft, 'epoch' | 'dispatchNo' | 'attempt' | 'workerLosses' | 'reason' | 'startedMsAgo'>>;

/** A step that was come to before all was known that it takes to decide about it. */
interface PostponedStep {
  readonly goOn: (draft: RunDraft, no: number, event: RunEvent) => void;
  readonly no: number;
  readonly event: RunEvent;
}

/** One statement moves a row by at most two hops. */
const HOPS_MAX = 2;

/**
 * A decision in the making: the run as it would be after the events taken so far. Pure bookkeeping – what to do is decided in
 * `decide-run.ts`. What the view does not hold is noted in `wanted`, and the decision is made again once it was read.
 */
export class RunDraft {
  readonly plan: Plan;
  wanted = nothing();
  readonly postponed: PostponedStep[] = [];
  readonly verdicts: EventVerdict[] = [];
  readonly dispatches: { no: number; dispatchNo: number; attempt: number; input: Json }[] = [];
  readonly dropped: { no: number; dispatchNo: number }[] = [];
  readonly lowered = new Map<number, number>();
  readonly ended: number[] = [];
  reused: readonly number[] = [];
  /** Unmet needs of joins that begin with this decision; null: the run began before. */
  private begun: Map<number, number> | null = null;
  state: RunState;
  active: number;
  waiting: number;
  remaining: number;
  failed: boolean;
  private readonly runHops: RunState[] = [];
  private readonly changed = new Map<number, StepDraft & { causeId: string; actor: string }>();
  private readonly results = new Map<number, StepResult>();
  private readonly timersSet = new Map<number, TimerChange>();
  private readonly timersCleared: { no: number; kind: 'delay' | 'retry' }[] = [];
  private runReason: string | null = null;
  private cause: { causeId: string; actor: string } | null = null;

  constructor(
    public view: RunView,
    public evaluations: ReadonlyMap<number, StepEvaluation>,
    readonly limits: DecisionLimits,
  ) {
    this.plan = view.plan;
    this.state = view.state;
    this.active = view.active;
    this.waiting = view.waiting;
    this.remaining = view.remaining;
    this.failed = view.failed;
  }

  get wantsMore(): boolean {
    const { everyRow, rows, unmet, evaluations } = this.wanted;
    return everyRow || rows.size > 0 || unmet.size > 0 || evaluations.size > 0;
  }

  wants(): DecisionWants {
    const { everyRow, rows, unmet, evaluations } = this.wanted;
    const wanted = [...evaluations.values()];
    return { kind: 'wants', rows: everyRow ? 'all' : [...rows], unmet: [...unmet], evaluations: wanted, drafted: this.draftedFor(wanted) };
  }

  /** Takes what was read meanwhile: nothing is wanted until something is missing again. */
  learn(view: RunView, evaluations: ReadonlyMap<number, StepEvaluation>): void {
    this.view = view;
    this.evaluations = evaluations;
    this.wanted = nothing();
  }

  planStep(no: number): PlanStep {
    const step = this.plan.steps[no - 1];
    if (!step) throw new DomainError('invariant.broken', 'A step number is not in the plan.', { run: this.view.id, step: no }, null, 'bug');
    return step;
  }

  /** The step as it stands in this draft; PENDING when it has no row; null when its row was not looked for (and is wanted now). */
  step(no: number): StepDraft | null {
    const drafted = this.changed.get(no);
    if (drafted) return drafted;
    const row = this.view.steps.get(no);
    if (row) return { ...row, hops: [], startedMsAgo: null };
    if (this.view.looked === 'all' || this.view.looked.has(no)) return this.pending(no);
    this.wanted.rows.add(no);
    return null;
  }

  /** A step whose last need has just ended: PENDING unless a row is known, for only this decision can give it its first one. */
  readyStep(no: number): StepDraft {
    const row = this.view.steps.get(no);
    return this.changed.get(no) ?? (row ? { ...row, hops: [], startedMsAgo: null } : this.pending(no));
  }

  private pending(no: number): StepDraft {
    const { epoch } = this.limits;
    return {
      no,
      state: 'PENDING',
      version: 0,
      epoch,
      dispatchNo: 0,
      attempt: 1,
      workerLosses: 0,
      reason: null,
      hops: [],
      startedMsAgo: null,
    };
  }

  /**
   * Whether the step can still make this many hops in this decision; what cannot waits for the next one. A second decision's hop fits only
   * behind the start: the row keeps when that was, of any other move on the way the audit could not tell the time.
   */
  hasRoomFor(step: StepDraft, hops: number): boolean {
    if (step.hops.length === 0) return hops <= HOPS_MAX;
    return step.hops.length + hops <= HOPS_MAX && step.hops[0] === 'RUNNING';
  }

  move(step: StepDraft, hops: readonly StepState[], event: RunEvent, change: StepChange = {}): void {
    assertThat(this.hasRoomFor(step, hops.length), 'a step moves by at most two hops at once', { run: this.view.id, step: step.no });
    const state = hops.at(-1) ?? step.state;
    this.count(step.state, -1);
    this.count(state, 1);
    const { causeId, actor } = event;
    this.changed.set(step.no, { ...step, reason: null, ...change, state, hops: [...step.hops, ...hops], causeId, actor });
    this.cause = { causeId, actor };
    if (isTerminalStep(state)) {
      this.remaining -= 1;
      if (state === 'FAILED' || state === 'TIMED_OUT') this.failed = true;
      this.ended.push(step.no);
    }
  }

  private count(state: StepState, by: number): void {
    if (state === 'DISPATCHED' || state === 'RUNNING' || state === 'RETRYING') this.active += by;
    if (state === 'WAITING') this.waiting += by;
  }

  /** `replaces`: there is an earlier result, so that even an empty one is to be written. */
  setResult(no: number, output: Json, error: StepErrorView | null, replaces = false): void {
    if (replaces || output !== null || error !== null) this.results.set(no, { no, output, error });
  }

  setTimer(timer: TimerChange): void {
    this.timersSet.set(timer.no, timer);
  }

  clearTimer(no: number, kind: 'delay' | 'retry'): void {
    if (!this.timersSet.delete(no)) this.timersCleared.push({ no, kind });
  }

  /** The run's joins begin: each still misses all of its needs. */
  beginWaits(): void {
    this.begun = new Map(this.plan.steps.filter((step) => step.needs.length > 1).map((step) => [step.no, step.needs.length]));
  }

  /** One more need of a join ended. Returns how many it still misses, or null when that was not read (and is wanted now). */
  lowerWait(no: number): number | null {
    const begun = this.begun?.get(no);
    if (begun !== undefined) {
      this.begun?.set(no, begun - 1);
      return begun - 1;
    }
    const unmet = this.view.unmet.get(no);
    if (unmet === undefined) {
      this.wanted.unmet.add(no);
      return null;
    }
    const by = (this.lowered.get(no) ?? 0) + 1;
    this.lowered.set(no, by);
    assertThat(by <= unmet, 'a join misses no more needs than it was told of', { run: this.view.id, step: no });
    return unmet - by;
  }

  moveRun(enters: RunState, event: Pick<RunEvent, 'causeId' | 'actor'>, reason: string | null = null): void {
    this.state = enters;
    this.runHops.push(enters);
    this.runReason = reason;
    this.cause = { causeId: event.causeId, actor: event.actor };
    assertThat(this.runHops.length <= HOPS_MAX, 'a run moves by at most two hops at once', { run: this.view.id });
  }

  /** The steps that these evaluations look at and this draft changed, as it leaves them. */
  private draftedFor(wanted: readonly EvaluationWant[]): { no: number; state: StepState; output: Json }[] {
    const named = new Set(wanted.flatMap(({ no }) => readsOf(this.planStep(no))));
    const changed = [...named].flatMap((no) => this.changed.get(no) ?? []);
    return changed.map(({ no, state }) => ({ no, state, output: this.results.get(no)?.output ?? null }));
  }

  /** Who and what caused the last change of this draft; null while nothing changed. */
  get lastCause(): { causeId: string; actor: string } | null {
    return this.cause;
  }

  finish(): RunDecision {
    const over = isTerminalRun(this.state);
    return {
      kind: 'decided',
      runId: this.view.id,
      rev: this.view.rev,
      runMove: this.runMove(),
      stepMoves: [...this.changed.values()].map((step) => this.stepMove(step)),
      results: [...this.results.values()],
      waitsBegun: over ? [] : [...(this.begun ?? [])].filter(([, unmet]) => unmet > 0).map(([no, unmet]) => ({ no, unmet })),
      waitsLowered: over ? [] : [...this.lowered].map(([no, by]) => ({ no, by })),
      timersSet: over ? [] : [...this.timersSet.values()],
      timersCleared: over ? [] : this.timersCleared,
      reused: this.reused,
      live: over
        ? null
        : { phase: phaseOf(this.state), remaining: this.remaining, active: this.active, waiting: this.waiting, failed: this.failed },
      dispatches: over ? [] : this.dispatches,
      dropped: this.dropped,
      verdicts: this.verdicts,
    };
  }

  private runMove(): RunMove | null {
    const enters = this.runHops.at(-1);
    if (!enters || !this.cause) return null;
    const via = this.runHops.length === HOPS_MAX ? (this.runHops[0] ?? null) : null;
    return {
      leaves: this.view.state,
      via,
      enters,
      version: this.view.version + this.runHops.length,
      ...this.cause,
      reason: this.runReason,
    };
  }

  private stepMove(step: StepDraft & { causeId: string; actor: string }): StepMove {
    const leaves = this.view.steps.get(step.no)?.state ?? 'PENDING';
    const via = step.hops.length === HOPS_MAX ? (step.hops[0] ?? null) : null;
    const { no, state: enters, epoch, dispatchNo, attempt, workerLosses, causeId, actor, reason, startedMsAgo } = step;
    return {
      no,
      leaves,
      via,
      enters,
      version: step.version + step.hops.length,
      epoch,
      dispatchNo,
      attempt,
      workerLosses,
      causeId,
      actor,
      reason,
      startedMsAgo,
    };
  }
}

function nothing() {
  return { everyRow: false, rows: new Set<number>(), unmet: new Set<number>(), evaluations: new Map<number, EvaluationWant>() };
}

function phaseOf(state: RunState): 'queued' | 'running' | 'waiting' | 'cancelling' {
  switch (state) {
    case 'CREATED':
    case 'QUEUED':
      return 'queued';
    case 'WAITING':
      return 'waiting';
    case 'CANCELLING':
      return 'cancelling';
    default:
      return 'running';
  }
}
