import { RUN_MOVES, STEP_MOVES, isTerminalRun, isTerminalStep, type PlanStep, type RunState, type StepState } from '#core';
import { stepKey, type Database } from '../database/database.ts';
import type { AuditRow, LiveRow, RunRow, StepRow } from '../database/rows.ts';
import type { Transaction } from '../database/transaction.ts';
import { ReportBook } from './report-book.ts';
import type { Violation } from './violation.ts';

const PHASES: Readonly<Record<string, string>> = {
  CREATED: 'queued',
  QUEUED: 'queued',
  RUNNING: 'running',
  WAITING: 'waiting',
  CANCELLING: 'cancelling',
};

/** Longest step, timer, or finding of what was lost: beyond, something waits for nobody. */
const SILENCE_MS_MAX = 6_000;
/** Attempts of any plan here, workers that are lost, losses that are silent: together they never explain more dispatches of a step. */
const DISPATCHES_MAX = 3 + 3 + 20;
/** Why the sweep sends a step again. */
const LOSSES: ReadonlySet<string> = new Set(['worker.lost', 'task.lost', 'step.worker_lost']);

/** Judges every commit: moves, versions, tokens, counters, joins, timers, limits. What it knows of the protocol it takes from the rows alone. */
export class Checker {
  readonly violations: Violation[] = [];
  readonly reports = new ReportBook();
  moves = 0;
  /** The longest time in the calm in which no run moved although some had not ended. */
  longestSilenceMs = 0;
  private movedAt = 0;
  /** Newest audited version and state by run and step. */
  private readonly newest = new Map<string, { version: number; state: string }>();
  private readonly tokens = new Set<string>();

  /** `calmAt`: from then on nothing fails any more. `steadfast`: nothing fails that a worker or a message could be lost by. */
  constructor(
    private readonly database: Database,
    private readonly calmAt: number,
    private readonly steadfast: boolean,
  ) {
    database.onCommit((tx) => this.judge(tx));
  }

  broken(invariant: string, what: string): void {
    if (this.violations.length < 20) this.violations.push({ invariant, what });
  }

  /** Where no message was doubled, no step runs in two processes under one token. */
  judgeRunners(): void {
    for (const [token, by] of this.reports.runners) if (by.size > 1) this.broken('I4', `${token} was run by ${[...by].join(' and ')}`);
  }

  /** The database went back in time: the newest versions are those of its audit. Tokens were given out all the same. */
  restored(): void {
    this.newest.clear();
    for (const row of this.database.audit) this.newest.set(stepKey(row.runId, row.stepNo), { version: row.version, state: row.enters });
  }

  private judge(tx: Transaction): void {
    if (tx.audit.length > 0) this.judgeSilence(this.database.clock());
    for (const row of tx.audit) this.judgeMove(row);
    const runs = new Set([...(tx.changesOf(this.database.runs)?.keys() ?? []), ...(tx.changesOf(this.database.live)?.keys() ?? [])]);
    for (const row of tx.changesOf(this.database.steps)?.values() ?? []) if (row) runs.add(row.runId);
    for (const runId of runs) this.judgeRun(runId);
    if (tx.changesOf(this.database.live)) this.judgeLimits();
  }

  /** Where nothing fails, whatever has not ended moves on: work takes its time, waiting for somebody who is gone does not. */
  private judgeSilence(now: number): void {
    const silentMs = now - Math.max(this.calmAt, this.movedAt);
    if (silentMs > this.longestSilenceMs && this.database.live.committed.size > 0) this.longestSilenceMs = silentMs;
    if (this.longestSilenceMs > SILENCE_MS_MAX) this.broken('I5', `nothing moved for ${Math.round(silentMs)} ms`);
    this.movedAt = now;
  }

  private judgeMove(row: AuditRow): void {
    this.moves += 1;
    const key = stepKey(row.runId, row.stepNo);
    const before = this.newest.get(key) ?? { version: 0, state: row.stepNo === 0 ? null : 'PENDING' };
    if (row.version !== before.version + 1) this.broken('I2', `${key}: version ${row.version} follows ${before.version}`);
    if (row.leaves !== before.state) this.broken('I2', `${key}: leaves ${row.leaves}, was ${before.state}`);
    if (row.leaves !== null && !isLegal(row)) this.broken('I2', `${key}: ${row.leaves} to ${row.enters}`);
    this.newest.set(key, { version: row.version, state: row.enters });
    if (row.enters === 'DISPATCHED') this.judgeToken(key, row);
    if (this.steadfast) this.judgeLoss(key, row);
    if (row.actor.startsWith('worker:')) this.judgeReported(key, row);
  }

  /** A report moves the step that it names, under that step's token; what follows from it stays within the run. */
  private judgeReported(key: string, row: AuditRow): void {
    const told = this.reports.find(row.causeId);
    if (!told) return this.broken('I4', `${key}: moved by a report that nobody sent`);
    const isOwn = row.stepNo > 0 && row.leaves !== 'PENDING';
    const fits = isOwn ? told.key === key && told.token === row.tokenBefore : told.key.startsWith(row.runId);
    if (!fits) this.broken('I4', `${key}: a report about ${told.key} #${told.token} moved it to ${row.enters} under #${row.tokenBefore}`);
  }

  /** A task that never reached the streams, because its sender ended behind the commit, is found and sent; no other step is taken for lost. */
  private judgeLoss(key: string, row: AuditRow): void {
    if (LOSSES.has(row.reason ?? '') && this.reports.sent.has(`${key} ${row.tokenBefore}`))
      this.broken('I4', `${key}: ${row.reason}, and nothing was lost`);
  }

  /** A token names one dispatch for ever, also across a restore. */
  private judgeToken(key: string, { epoch, dispatchNo }: AuditRow): void {
    if ((dispatchNo ?? 0) > DISPATCHES_MAX) this.broken('I10', `${key} was sent ${dispatchNo} times`);
    const token = `${key} ${epoch}.${dispatchNo}`;
    if (this.tokens.has(token)) this.broken('I4', `token ${token} was given out twice`);
    this.tokens.add(token);
  }

  private judgeRun(runId: string): void {
    const run = this.database.runs.committed.get(runId);
    if (!run) return this.broken('I1', `${runId}: rows without a run`);
    const live = this.database.live.committed.get(runId);
    const { steps: planned } = this.planOf(run);
    const rows = planned.flatMap(({ no }) => this.database.steps.committed.get(stepKey(runId, no)) ?? []);
    for (const row of [{ ...run, stepNo: 0, runId }, ...rows]) {
      const audited = this.newest.get(stepKey(row.runId, row.stepNo));
      if (audited?.version !== row.version || audited.state !== row.state)
        this.broken('I3', `${stepKey(row.runId, row.stepNo)}: ${row.state} v${row.version} is not audited`);
    }
    if (isTerminalRun(run.state)) this.judgeEnd(run, live, planned, rows);
    else this.judgeLive(run, live, planned, rows);
    for (const row of rows) this.judgeStep(run, planned, row);
  }

  private judgeEnd(run: RunRow, live: LiveRow | undefined, planned: readonly PlanStep[], rows: readonly StepRow[]): void {
    if (live) this.broken('I1', `${run.id}: ended and live`);
    const open = planned.length - rows.filter(({ state }) => isTerminalStep(state)).length;
    if (open > 0) this.broken('I1', `${run.id}: ended ${run.state} with ${open} steps open`);
    const failed = rows.some(({ state }) => state === 'FAILED' || state === 'TIMED_OUT');
    const cancelled = rows.some(({ state }) => state === 'CANCELLED');
    if (run.state === 'SUCCEEDED' && (failed || cancelled)) this.broken('I4', `${run.id}: SUCCEEDED with failed steps`);
    if (run.state === 'FAILED' && !failed) this.broken('I4', `${run.id}: FAILED without a failed step`);
  }

  private judgeLive(run: RunRow, live: LiveRow | undefined, planned: readonly PlanStep[], rows: readonly StepRow[]): void {
    if (!live) return this.broken('I1', `${run.id}: ${run.state} without a live row`);
    const count = (...states: readonly StepState[]) => rows.filter(({ state }) => states.includes(state)).length;
    const due = {
      phase: PHASES[run.state],
      remaining: planned.length - rows.filter(({ state }) => isTerminalStep(state)).length,
      active: count('DISPATCHED', 'RUNNING', 'RETRYING'),
      waiting: count('WAITING'),
      failed: count('FAILED', 'TIMED_OUT') > 0,
    };
    const { phase, remaining, active, waiting, failed } = live;
    const stored = { phase, remaining, active, waiting, failed };
    if (JSON.stringify(stored) !== JSON.stringify(due))
      this.broken('I12', `${run.id}: stored ${JSON.stringify(stored)}, counted ${JSON.stringify(due)}`);
    if ((phase === 'running' || phase === 'waiting') && active + waiting === 0)
      this.broken('I1', `${run.id}: ${phase} with nothing under way`);
    if (live.began) this.judgeJoins(run, planned, rows);
    for (const row of rows) {
      const kind = row.state === 'WAITING' ? 'delay' : row.state === 'RETRYING' ? 'retry' : null;
      const key = stepKey(row.runId, row.stepNo);
      const { committed } = this.database.timers;
      if (kind !== null && !committed.has(`${key} ${kind}`)) this.broken('I1', `${key}: ${row.state} without its timer`);
      for (const other of ['delay', 'retry'])
        if (other !== kind && committed.has(`${key} ${other}`)) this.broken('I9', `${key}: ${row.state} with a timer of ${other}`);
    }
  }

  private judgeJoins(run: RunRow, planned: readonly PlanStep[], rows: readonly StepRow[]): void {
    const ended = new Set(rows.filter(({ state }) => isTerminalStep(state)).map(({ stepNo }) => stepNo));
    for (const { no, needs } of planned) {
      if (needs.length < 2) continue;
      const unmet = needs.filter((need) => !ended.has(need)).length;
      const stored = this.database.waits.committed.get(stepKey(run.id, no))?.unmet ?? 0;
      if (stored !== unmet) this.broken('I12', `${stepKey(run.id, no)}: misses ${unmet} needs, stored ${stored}`);
    }
  }

  private judgeStep(run: RunRow, planned: readonly PlanStep[], row: StepRow): void {
    const key = stepKey(row.runId, row.stepNo);
    const needs = planned[row.stepNo - 1]?.needs ?? [];
    const early = needs.some((need) => !isTerminalStep(this.database.steps.committed.get(stepKey(run.id, need))?.state ?? 'PENDING'));
    if (early) this.broken('I2', `${key}: ${row.state} before its needs ended`);
    const output = this.database.outputs.committed.get(key)?.output ?? null;
    if (output !== null && row.state !== 'SUCCEEDED' && row.reason !== 'step.reused')
      this.broken('I4', `${key}: ${row.state}, and has put something out`);
    if (row.state === 'SUCCEEDED' && row.actor.startsWith('worker:')) {
      const stored = JSON.stringify(output);
      const told = this.reports.find(row.causeId)?.output;
      if (stored !== told) this.broken('I4', `${key}: the output is ${stored}, the accepted report told ${told}`);
    }
  }

  private judgeLimits(): void {
    const { live, deployments, teams } = this.database;
    const rows = [...live.committed.values()];
    const running = rows.filter(({ phase }) => phase === 'running');
    for (const { id, name, concurrencyLimit } of deployments.values()) {
      const taken = running.filter(({ deploymentId }) => deploymentId === id).length;
      if (concurrencyLimit !== null && taken > concurrencyLimit)
        this.broken('limit', `deployment ${name}: ${taken} of ${concurrencyLimit}`);
    }
    for (const { name, concurrencyLimit } of teams.values()) {
      const taken = running.filter(({ team }) => team === name).length;
      if (concurrencyLimit !== null && taken > concurrencyLimit) this.broken('limit', `team ${name}: ${taken} of ${concurrencyLimit}`);
    }
    for (const row of rows) {
      if (row.concurrencyKey === null || row.concurrencyLimit === null || !row.began) continue;
      const taken = rows.filter(
        (other) => other.began && other.workflowId === row.workflowId && other.concurrencyKey === row.concurrencyKey,
      ).length;
      if (taken > row.concurrencyLimit) this.broken('limit', `key ${row.concurrencyKey}: ${taken} of ${row.concurrencyLimit}`);
    }
  }

  private planOf(run: RunRow) {
    const version = this.database.versions.get(`${run.workflowId} ${run.workflowVersion}`);
    if (!version) throw new Error(`The run ${run.id} has no plan.`);
    return version.plan;
  }
}

function isLegal({ stepNo, leaves, enters }: AuditRow): boolean {
  const edges: readonly string[] = stepNo === 0 ? RUN_MOVES[leaves as RunState] : STEP_MOVES[leaves as StepState];
  return edges.includes(enters);
}
