import type { Blocker, Explanation } from '#contracts';
import {
  type DeploymentTier,
  type PlanStep,
  type RunState,
  type StepState,
  type TriedRule,
  deploymentKey,
  isTerminalRun,
  isTerminalStep,
} from '#core';
import type { ActiveStepRow, Holders, LiveRow, RunSummaryRow } from '#store';

/** A limit that a queued run is under, with who holds its places. */
export interface LimitFact {
  readonly scope: 'deployment' | 'team' | 'concurrency_key';
  readonly key: string;
  readonly limit: number;
  readonly held: Holders;
}

/** What is known of a run that has not ended. */
export interface RunFacts {
  readonly run: Pick<RunSummaryRow, 'state' | 'deployment'>;
  readonly live: LiveRow | undefined;
  readonly limits: readonly LimitFact[];
  readonly workersAlive: number;
  readonly activeSteps: readonly ActiveStepRow[];
  readonly steps: readonly PlanStep[];
  readonly stateOf: ReadonlyMap<number, StepState>;
}

/** What the run waits for, the nearest cause first; at most `max`, and whether that is all. */
export function blockersOf(facts: RunFacts, max: number): { waitsFor: Blocker[]; cut: boolean } {
  const { run, live, workersAlive, limits } = facts;
  if (isTerminalRun(run.state)) return { waitsFor: [], cut: false };
  const all: Blocker[] = [];
  if (live?.phase === 'queued') {
    const full = limits.filter(({ limit, held }) => held.holding >= limit);
    for (const { scope, key, limit, held } of full)
      all.push({ kind: 'limit', scope, key, limit, holding: held.holding, holders: [...held.holders] });
    if (full.length === 0) all.push({ kind: 'admission' });
  }
  // Only what goes to workers waits for them.
  const atWorkers = facts.activeSteps.some(({ state }) => state === 'DISPATCHED' || state === 'RUNNING');
  if (workersAlive === 0 && (atWorkers || live?.phase === 'queued')) all.push({ kind: 'workers', deployment: run.deployment.name });
  for (const step of facts.activeSteps) all.push(stepBlocker(step));
  if (live?.phase === 'running' || live?.phase === 'waiting') all.push(...needBlockers(facts, max));
  return { waitsFor: all.slice(0, max), cut: all.length > max };
}

function stepBlocker({ name, state, attempt, sinceSeconds, worker, timer, dueAt }: ActiveStepRow): Blocker {
  if (timer && dueAt) return { kind: 'timer', step: name, timer, dueAt: dueAt.toISOString() };
  return { kind: 'step', step: name, state, attempt, worker, sinceSeconds: Math.max(0, sinceSeconds) };
}

function needBlockers({ steps, stateOf }: RunFacts, max: number): Blocker[] {
  const blockers: Blocker[] = [];
  for (const step of steps) {
    if (stateOf.has(step.no)) continue;
    const unmet = step.needs.filter((no) => !isTerminalStep(stateOf.get(no) ?? 'PENDING')).map((no) => steps[no - 1]?.name ?? '');
    if (unmet.length > 0) blockers.push({ kind: 'needs', step: step.name, unmet: unmet.slice(0, max) });
    if (blockers.length > max) break;
  }
  return blockers;
}

/** The rules as they were tried when the run was submitted: what was found then is stored with the run. */
export function triedFor(environment: string | null, team: string | null, matchedBy: DeploymentTier): TriedRule[] {
  const rules: TriedRule[] = [];
  if (environment !== null && team) rules.push({ rule: 'team', key: deploymentKey(environment, team), found: matchedBy === 'team' });
  if (environment !== null && matchedBy !== 'team')
    rules.push({ rule: 'environment', key: deploymentKey(environment, null), found: matchedBy === 'environment' });
  if (matchedBy === 'default') rules.push({ rule: 'default', key: deploymentKey(null, null), found: true });
  return rules;
}

/** One sentence for people. */
export function summarise(state: RunState, deployment: string, reason: string | null, waitsFor: Explanation['waitsFor']): string {
  if (isTerminalRun(state)) return `The run has ended: ${state}${reason ? ` (${reason})` : ''}.`;
  const [first] = waitsFor;
  const workers = waitsFor.some(({ kind }) => kind === 'workers') ? ` No worker of ${deployment} is alive.` : '';
  return `The run is ${state}: ${first ? clauseOf(first, deployment) : 'the scheduler is about to take it up'}.${first?.kind === 'workers' ? '' : workers}`;
}

function clauseOf(blocker: Blocker, deployment: string): string {
  switch (blocker.kind) {
    case 'limit':
      return `the limit of ${blocker.limit} for ${blocker.scope.replace('_', ' ')} ${blocker.key || '(whole workflow)'} is reached, ${blocker.holding} runs hold it`;
    case 'admission':
      return 'no limit holds it, the scheduler has not admitted it yet';
    case 'workers':
      return `no worker of ${deployment} is alive`;
    case 'needs':
      return `step ${blocker.step} waits for ${blocker.unmet.join(', ')}`;
    case 'timer':
      return `step ${blocker.step} ${blocker.timer === 'retry' ? 'is tried again' : 'goes on'} at ${blocker.dueAt}`;
    case 'step':
      return `step ${blocker.step} is ${blocker.state}${blocker.worker ? ` on ${blocker.worker}` : ''}, attempt ${blocker.attempt}, for ${Math.round(blocker.sinceSeconds)} s`;
  }
}
