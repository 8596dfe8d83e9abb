import { describe, expect, it } from '@jest/globals';
import type { PlanStep } from '#core';
import type { LiveRow } from '#store';
import { type RunFacts, blockersOf, summarise, triedFor } from './explain.ts';

const step = (no: number, needs: number[] = []): PlanStep => ({
  no,
  name: `step-${no}`,
  uses: 'noop',
  needs,
  dependents: [],
  condition: null,
  input: null,
  inputReads: null,
  retry: { attempts: 1, backoffMs: 0, factor: 1, maxBackoffMs: 0, jitter: 0, nonRetryable: [] },
  timeoutSeconds: 60,
});
const live = (phase: LiveRow['phase']): LiveRow => ({
  phase,
  deploymentId: 'd',
  workflowId: 'w',
  team: '',
  concurrencyKey: null,
  concurrencyLimit: null,
  deploymentLimit: null,
  teamLimit: null,
  deadlineAt: null,
});
const facts = (over: Partial<RunFacts> = {}): RunFacts => ({
  run: { state: 'RUNNING', deployment: { id: 'd', name: 'local', pool: 'p' } },
  live: live('running'),
  limits: [],
  workersAlive: 1,
  activeSteps: [],
  steps: [step(1), step(2, [1]), step(3, [1, 2])],
  stateOf: new Map(),
  ...over,
});
const queued = { run: { ...facts().run, state: 'QUEUED' as const }, live: live('queued') };

describe('blockersOf', () => {
  it('names only the limits that are reached', () => {
    const limits = [
      { scope: 'deployment', key: 'local', limit: 20, held: { holding: 3, holders: [] } },
      { scope: 'team', key: 'finance', limit: 2, held: { holding: 2, holders: ['r1', 'r2'] } },
    ] as const;
    expect(blockersOf(facts({ ...queued, limits }), 10).waitsFor).toEqual([
      { kind: 'limit', scope: 'team', key: 'finance', limit: 2, holding: 2, holders: ['r1', 'r2'] },
    ]);
  });

  it('says that a queued run without a reached limit is about to be admitted, and that no worker is alive', () => {
    expect(blockersOf(facts({ ...queued, workersAlive: 0 }), 10).waitsFor.map(({ kind }) => kind)).toEqual(['admission', 'workers']);
  });

  it('names the unmet needs of steps that have not begun, and leaves out those that have', () => {
    const stateOf = new Map([
      [1, 'SUCCEEDED'],
      [2, 'DISPATCHED'],
    ] as const);
    expect(blockersOf(facts({ stateOf }), 10).waitsFor).toEqual([{ kind: 'needs', step: 'step-3', unmet: ['step-2'] }]);
  });

  it('tells that it was cut', () => {
    const steps = [step(1), ...Array.from({ length: 50 }, (_, n) => step(n + 2, [1]))];
    const { waitsFor, cut } = blockersOf(facts({ steps }), 5);
    expect([waitsFor.length, cut]).toEqual([5, true]);
  });

  it('waits for nothing once the run has ended', () => {
    expect(blockersOf(facts({ run: { ...facts().run, state: 'FAILED' } }), 5)).toEqual({ waitsFor: [], cut: false });
  });
});

describe('triedFor', () => {
  it.each([
    ['production', 'finance', 'team', ['PRODUCTION_FINANCE+']],
    ['production', 'finance', 'environment', ['PRODUCTION_FINANCE-', 'PRODUCTION+']],
    ['qa', null, 'default', ['QA-', 'ID+']],
    [null, null, 'default', ['ID+']],
  ] as const)('%s / %s found by %s', (environment, team, matchedBy, rules) => {
    expect(triedFor(environment, team, matchedBy).map(({ key, found }) => `${key}${found ? '+' : '-'}`)).toEqual(rules);
  });
});

describe('summarise', () => {
  it('is a sentence for each kind of blocker', () => {
    const sentence = (...waitsFor: Parameters<typeof summarise>[3]) => summarise('RUNNING', 'local', null, waitsFor);
    expect(sentence({ kind: 'workers', deployment: 'local' })).toBe('The run is RUNNING: no worker of local is alive.');
    expect(sentence({ kind: 'timer', step: 'a', timer: 'retry', dueAt: 'T' }, { kind: 'workers', deployment: 'local' })).toBe(
      'The run is RUNNING: step a is tried again at T. No worker of local is alive.',
    );
    expect(sentence({ kind: 'needs', step: 'b', unmet: ['a'] })).toBe('The run is RUNNING: step b waits for a.');
    expect(summarise('FAILED', 'local', 'step.failed', [])).toBe('The run has ended: FAILED (step.failed).');
  });
});
