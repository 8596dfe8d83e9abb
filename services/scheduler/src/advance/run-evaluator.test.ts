import { describe, expect, it } from '@jest/globals';
import type { DecisionWants, Plan, RunEvent } from '#core';
import type { Evaluator } from '#definitions';
import type { RunHead, RunReader } from '#store';
import { aPlan } from '../../../../libs/testing/src/given/plan.ts';
import { KnownRun } from './known-run.ts';
import { RunEvaluator } from './run-evaluator.ts';

const emptyReader = {
  inputs: () => Promise.resolve(new Map()),
  outputs: () => Promise.resolve([]),
  steps: () => Promise.resolve([]),
} as unknown as RunReader;
const answer = { kind: 'run', input: {} } as const;
const head = { id: 'retry', retryOf: 'failed', state: 'CREATED', workflowVersion: 1, environment: null, team: null } as RunHead;

/** A run whose first admission takes these steps over, and wants evaluations of those. */
function wanting(plan: Plan, reused: readonly number[], wanted: readonly number[]) {
  const event: RunEvent = { kind: 'admitted', causeId: 'cause', actor: 'test', reused };
  const wants: DecisionWants = {
    kind: 'wants',
    rows: [],
    unmet: [],
    evaluations: wanted.map((no) => ({ no, failed: false, inputOnly: false })),
    drafted: reused.map((no) => ({ no, state: 'SKIPPED', output: null })),
  };
  return { run: new KnownRun(head, { plan, workflow: 'test' }, [event]), wants };
}

describe('RunEvaluator', () => {
  it('asks the evaluator for no more than it can let wait, however wide a run fans out', async () => {
    const wide = aPlan(Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`s${at}`, { inputReads: [] }])));
    let open = 0;
    let most = 0;
    const evaluateStep = async () => {
      most = Math.max(most, (open += 1));
      await new Promise(setImmediate);
      open -= 1;
      return answer;
    };
    const request = wanting(
      wide,
      [],
      wide.steps.map(({ no }) => no),
    );
    await new RunEvaluator(emptyReader, { evaluateStep } as unknown as Evaluator).evaluate([request]);
    expect(request.run.evaluations.size).toBe(5_000);
    expect(most).toBeLessThanOrEqual(200);
  });

  it('evaluates 5,000 steps of a retry that takes over another 5,000 within seconds', async () => {
    const half = Array.from({ length: 5_000 }, (_, at) => at + 1);
    const plan = aPlan({
      ...Object.fromEntries(half.map((no) => [`done${no}`, {}])),
      ...Object.fromEntries(half.map((no) => [`todo${no}`, { needs: [`done${no}`], inputReads: [`done${no}`] }])),
    });
    const request = wanting(
      plan,
      half,
      half.map((no) => no + 5_000),
    );
    const began = performance.now();
    await new RunEvaluator(emptyReader, { evaluateStep: () => Promise.resolve(answer) } as unknown as Evaluator).evaluate([request]);
    expect(request.run.evaluations.size).toBe(5_000);
    expect(performance.now() - began).toBeLessThan(3_000);
  });
});
