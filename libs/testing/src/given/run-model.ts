import {
  type DecisionLimits,
  type DecisionWants,
  type Plan,
  type RunDecision,
  type RunEvent,
  type RunState,
  type RunView,
  type StepEvaluation,
  type StepState,
  type StepView,
  type UnfinishedDecision,
  RUN_MOVES,
  STEP_MOVES,
  decideRun,
  isTerminalRun,
  isTerminalStep,
} from '#core';
import { check } from './check.ts';
import { type ModelStep, EventsOf } from './events.ts';
import { checkAgainstRows } from './model-rules.ts';

export type Verdict = RunDecision['verdicts'][number];

/** Stands in for the evaluator: what a ready step's condition and input come to. */
export type Evaluate = (no: number, failed: boolean, drafted: DecisionWants['drafted']) => StepEvaluation;

interface ModelOptions {
  readonly evaluate?: Evaluate;
  readonly limits?: Partial<DecisionLimits>;
}

/** Rounds in which one call may decide again about what had no room. */
const ROUNDS_MAX = 10;

/**
 * One run in memory: the decision core's surroundings, written a second time and much more simply. It reads as little for a decision as the
 * scheduler does, applies what was decided as the statements do, and checks each decision against the rows: legal moves only, gapless
 * versions, counters that a recount gives. Whatever is not so throws.
 */
export class RunModel {
  readonly id = 'run-1';
  readonly deploymentId = 'deployment-1';
  readonly limits: DecisionLimits;
  readonly rows = new Map<number, ModelStep>();
  readonly unmet = new Map<number, number>();
  readonly timers = new Map<string, number | string>();
  /** Every decision that was applied, oldest first. */
  readonly decisions: RunDecision[] = [];
  readonly give: EventsOf;
  state: RunState = 'CREATED';
  version = 1;
  rev = 1;
  counters: { remaining: number; active: number; waiting: number; failed: boolean };
  live = true;
  lastCause = 'submit';
  private readonly evaluate: Evaluate;

  constructor(
    readonly plan: Plan,
    options: ModelOptions = {},
  ) {
    this.limits = { epoch: 1, workerLossesMax: 3, silentLossesMax: 20, ...options.limits };
    this.evaluate = options.evaluate ?? ((no) => ({ kind: 'run', input: plan.steps[no - 1]?.input ?? {} }));
    this.counters = { remaining: plan.steps.length, active: 0, waiting: 0, failed: false };
    this.give = new EventsOf(this);
  }

  /** States by step name; PENDING for those without a row. */
  get states(): Record<string, StepState> {
    return Object.fromEntries(this.plan.steps.map(({ no, name }) => [name, this.stateOf(no)]));
  }

  get tasks(): { name: string; dispatchNo: number; attempt: number }[] {
    return this.decisions.flatMap(({ dispatches }) =>
      dispatches.map(({ no, dispatchNo, attempt }) => ({ name: this.plan.steps[no - 1]?.name ?? '', dispatchNo, attempt })),
    );
  }

  row(name: string): ModelStep {
    const row = this.rows.get(this.noOf(name));
    if (!row) throw new Error(`The step ${name} has no row.`);
    return row;
  }

  noOf(name: string): number {
    return this.plan.steps.find((step) => step.name === name)?.no ?? 0;
  }

  stateOf(no: number): StepState {
    return this.rows.get(no)?.state ?? 'PENDING';
  }

  /** Admits the run, then ends these steps well, in this order. */
  begun(...succeeded: readonly string[]): this {
    this.take(this.give.admitted());
    for (const name of succeeded) this.take(this.give.succeeded(name));
    return this;
  }

  /** Decides about these events together and applies it, again for those that had no room. Returns each one's verdict. */
  take(...events: readonly RunEvent[]): Verdict[] {
    const verdicts = new Map<RunEvent, Verdict>();
    let open = events;
    for (let round = 0; open.length > 0; round += 1) {
      check(round < ROUNDS_MAX, 'events come to their end in a few rounds');
      if (!this.live) open.forEach((event) => verdicts.set(event, 'settled'));
      const decision = this.live ? this.decide(open) : null;
      if (!decision) break;
      open.forEach((event, at) => verdicts.set(event, decision.verdicts[at] ?? 'ignored'));
      open = open.filter((event) => verdicts.get(event) === 'later');
    }
    return events.map((event) => verdicts.get(event) ?? 'settled');
  }

  /** The decision about these events, applied. */
  decide(events: readonly RunEvent[]): RunDecision {
    const decision = this.consider(events);
    this.apply(decision);
    return decision;
  }

  /** The decision about these events; changes nothing. Reads only what is asked for, and decides again after each answer. */
  consider(events: readonly RunEvent[]): RunDecision {
    return this.considerAsking(events, () => null);
  }

  /** The same decision made by somebody who decides again only when nothing more can be told to be wanted, as the scheduler does. */
  considerLookingAhead(events: readonly RunEvent[]): RunDecision {
    return this.considerAsking(events, (wants, view, evaluations) => wants.wantsNext(view, evaluations));
  }

  private considerAsking(
    events: readonly RunEvent[],
    next: (wants: UnfinishedDecision, ...known: Parameters<UnfinishedDecision['wantsNext']>) => UnfinishedDecision | null,
  ): RunDecision {
    let wants: UnfinishedDecision | null = null;
    const evaluations = new Map<number, StepEvaluation>();
    const asked = { rows: new Set(firstRows(events)), all: this.state === 'CREATED' || events.some(readsAll), unmet: new Set<number>() };
    for (let asks = 0; asks <= this.plan.steps.length * 3 + 10; asks += 1) {
      const view = this.view(asked);
      const outcome: RunDecision | UnfinishedDecision =
        (wants && next(wants, view, evaluations)) ?? decideRun(view, events, evaluations, this.limits);
      if (outcome.kind === 'decided') return outcome;
      wants = outcome;
      if (outcome.rows === 'all') asked.all = true;
      else for (const no of outcome.rows) asked.rows.add(no);
      for (const no of outcome.unmet) asked.unmet.add(no);
      for (const { no, failed } of outcome.evaluations) evaluations.set(no, this.evaluate(no, failed, outcome.drafted));
    }
    throw new Error('The decision asks for ever.');
  }

  /** The same decision made by somebody who has read every row and asked every step before. */
  considerKnowingAll(events: readonly RunEvent[]): RunDecision {
    const evaluations = new Map<number, StepEvaluation>();
    const joins = new Set(this.plan.steps.filter(({ needs }) => needs.length > 1).map(({ no }) => no));
    for (let asks = 0; asks <= this.plan.steps.length + 1; asks += 1) {
      const outcome = decideRun(this.view({ rows: new Set(), all: true, unmet: joins }), events, evaluations, this.limits);
      if (outcome.kind === 'decided') return outcome;
      check(outcome.evaluations.length > 0, 'who knows all rows asks for evaluations only');
      for (const { no, failed } of outcome.evaluations) evaluations.set(no, this.evaluate(no, failed, outcome.drafted));
    }
    throw new Error('The decision asks for ever.');
  }

  /** The api's part of a cancel; nothing when it comes too late. */
  askToCancel(): this {
    if (!isTerminalRun(this.state) && this.state !== 'CANCELLING') {
      Object.assign(this, { state: 'CANCELLING', version: this.version + 1, rev: this.rev + 1, lastCause: `cancel of ${this.rev}` });
    }
    return this;
  }

  private view(asked: { rows: ReadonlySet<number>; all: boolean; unmet: ReadonlySet<number> }): RunView {
    const { id, plan, deploymentId, state, version, rev } = this;
    const steps = new Map<number, StepView>([...this.rows].filter(([no]) => asked.all || asked.rows.has(no)));
    const unmet = new Map([...asked.unmet].map((no) => [no, this.unmet.get(no) ?? 0]));
    return { id, plan, deploymentId, state, version, rev, ...this.counters, steps, looked: asked.all ? 'all' : asked.rows, unmet };
  }

  private apply(decision: RunDecision): void {
    if (decision.runMove === null && decision.stepMoves.length === 0) return;
    check(decision.rev === this.rev, 'a decision is written on the rev it was made on');
    this.rev += 1;
    this.moveSteps(decision);
    this.moveRun(decision);
    for (const { no, unmet } of decision.waitsBegun) this.unmet.set(no, unmet);
    for (const { no, by } of decision.waitsLowered) this.unmet.set(no, (this.unmet.get(no) ?? 0) - by);
    for (const { no, kind, due } of decision.timersSet) this.timers.set(`${no} ${kind}`, 'inMs' in due ? due.inMs : `at ${due.atMs}`);
    for (const { no, kind } of decision.timersCleared)
      check(this.timers.delete(`${no} ${kind}`), 'a timer that is cleared was set', { no, kind });
    if (decision.live) this.counters = decision.live;
    else this.end();
    this.decisions.push(decision);
    checkAgainstRows(this, decision);
  }

  private end(): void {
    this.live = false;
    this.timers.clear();
    this.unmet.clear();
    this.counters = { ...this.counters, remaining: 0, active: 0, waiting: 0 };
  }

  private moveRun({ runMove }: RunDecision): void {
    if (!runMove) return;
    const { leaves, via, enters, version, causeId } = runMove;
    const hops = via === null ? [leaves, enters] : [leaves, via, enters];
    check(leaves === this.state, 'a run leaves the state it is in', { leaves, state: this.state });
    check(legal(RUN_MOVES, hops), 'a run makes legal moves', { hops });
    check(version === this.version + hops.length - 1, 'a run is versioned without gaps', { version, before: this.version });
    check(causeId !== this.lastCause, 'a move of the run has a cause of its own');
    Object.assign(this, { state: enters, version, lastCause: causeId });
  }

  private moveSteps({ stepMoves }: RunDecision): void {
    check(new Set(stepMoves.map(({ no }) => no)).size === stepMoves.length, 'a decision names a step once');
    for (const move of stepMoves) {
      const { no, leaves, via, enters, version, causeId, startedMsAgo } = move;
      const before = this.rows.get(no);
      const hops = via === null ? [leaves, enters] : [leaves, via, enters];
      check(leaves === this.stateOf(no) && !isTerminalStep(leaves), 'a step leaves the state it is in, and ends once', { no, leaves });
      check(legal(STEP_MOVES, hops), 'a step makes legal moves', { no, hops });
      check(leaves !== 'PENDING' || via === null, 'a row begins with one move', { no });
      check(version === (before?.version ?? 0) + hops.length - 1, 'a step is versioned without gaps', { no, version });
      check(causeId !== before?.causeId, 'a move of a step has a cause of its own', { no });
      check(via === null || (via === 'RUNNING' && startedMsAgo !== null), 'the audit can tell when the first of two hops happened', {
        no,
        hops,
      });
      const started = startedMsAgo !== null || (enters !== 'DISPATCHED' && before?.started === true);
      const { epoch, dispatchNo, attempt, workerLosses, reason } = move;
      this.rows.set(no, { no, state: enters, version, epoch, dispatchNo, attempt, workerLosses, reason, causeId, started });
    }
  }

  get isOver(): boolean {
    return isTerminalRun(this.state);
  }
}

function firstRows(events: readonly RunEvent[]): number[] {
  return events.flatMap((event) => ('stepNo' in event ? [event.stepNo] : []));
}

function readsAll({ kind }: RunEvent): boolean {
  return kind === 'admitted' || kind === 'cancel' || kind === 'deadline';
}

function legal<State extends string>(moves: Readonly<Record<State, readonly string[]>>, hops: readonly State[]): boolean {
  return hops.slice(1).every((enters, at) => {
    const leaves = hops[at];
    return leaves !== undefined && moves[leaves].includes(enters);
  });
}
