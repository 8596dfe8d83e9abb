import { describe, expect, it } from '@jest/globals';
import type { Plan, PlanStep, RunEvent, StepEvaluation, StepState } from '#core';
import type { Evaluator } from '#definitions';
import type { RunHead, RunReader, RunStep, StepKey } from '#store';
import { aChain, aPlan } from '../../../../libs/testing/src/given/plan.ts';
import type { PlanCache } from '../plans/plan-cache.ts';
import { DecisionMaker } from './decision-maker.ts';
import { RunEvaluator } from './run-evaluator.ts';

const runId = 'run-1';
const token = { epoch: 1, dispatchNo: 1 };
const origin = { causeId: 'cause', actor: 'test' };
const admitted: RunEvent = { kind: 'admitted', ...origin, reused: [] };
const ended = { kind: 'ended', ...origin, stepNo: 1, token, from: 'd', outcome: 'succeeded', ranMs: 1, output: null, error: null, dice: 0 };

/** A new run, or one of which the steps `done` have succeeded and only the first one still runs. */
function headOf(plan: Plan, done: number): RunHead {
  const counters = { remaining: plan.steps.length - done, active: done === 0 ? 0 : 1, waiting: 0, failed: false };
  const state = done === 0 ? 'CREATED' : 'RUNNING';
  const of = { id: runId, workflowId: 'w', workflowVersion: 1, environment: null, team: null, deploymentId: 'd', retryOf: null };
  return { ...of, state, version: 1, rev: 1, ...counters };
}

/** Decides about a run that stands so, with conditions that are all false, and counts the work. */
async function deciding({ steps, ...plan }: Plan, done = 0, behind: readonly RunEvent[] = []) {
  const counted = { looks: 0, evaluations: 0 };
  const watched = new Proxy<readonly PlanStep[]>(steps, {
    get: (target, key) => ((counted.looks += 1), Reflect.get(target, key)),
  });
  const head = headOf({ steps, ...plan }, done);
  const rowOf = (no: number, state: StepState): RunStep => ({
    runId,
    no,
    state,
    version: 1,
    attempt: 1,
    workerLosses: 0,
    reason: null,
    ...token,
  });
  const reader = {
    heads: () => Promise.resolve([head]),
    steps: (keys: readonly StepKey[]) => {
      const known = keys.filter(({ stepNo }) => stepNo >= 1 && stepNo <= done + 1 && done > 0);
      return Promise.resolve(known.map(({ stepNo }) => rowOf(stepNo, stepNo === 1 ? 'DISPATCHED' : 'SUCCEEDED')));
    },
    unmet: (keys: readonly StepKey[]) => Promise.resolve(keys.map((key) => ({ ...key, unmet: 1 }))),
    inputs: () => Promise.resolve(new Map()),
    outputs: () => Promise.resolve([]),
  } as unknown as RunReader;
  const evaluateStep = (): Promise<StepEvaluation> => {
    counted.evaluations += 1;
    return Promise.resolve({ kind: 'skip' });
  };
  const plans = { get: () => Promise.resolve({ plan: { ...plan, steps: watched }, workflow: 'w' }) } as unknown as PlanCache;
  const evaluator = new RunEvaluator(reader, { evaluateStep } as unknown as Evaluator);
  const maker = new DecisionMaker(reader, plans, evaluator, { epoch: 1, workerLossesMax: 3, silentLossesMax: 20 });
  const { made, broken } = await maker.decide(new Map([[runId, [done === 0 ? admitted : (ended as RunEvent), ...behind]]]));
  expect([...broken.values()]).toEqual([]);
  return { ...counted, moves: made[0]?.decision.stepMoves ?? [] };
}

/** `length` joins in a row behind the first step; the other need of each has ended long ago. */
function joinsInARow(length: number): Plan {
  const numbers = Array.from({ length }, (_, at) => at + 1);
  return aPlan({
    join0: {},
    ...Object.fromEntries(numbers.map((no) => [`done${no}`, {}])),
    ...Object.fromEntries(numbers.map((no) => [`join${no}`, { needs: [`join${no - 1}`, `done${no}`], condition: 'plain' as const }])),
  });
}

describe('DecisionMaker', () => {
  it('does four times the work for four times the steps that are left out one after another', async () => {
    const [short, long] = [await deciding(aChain(500, { condition: 'plain' })), await deciding(aChain(2_000, { condition: 'plain' }))];
    expect([short.moves.length, long.moves.length]).toEqual([500, 2_000]);
    expect([short.evaluations, long.evaluations]).toEqual([500, 2_000]);
    expect(long.looks).toBeLessThan(4.1 * short.looks);
  });

  it('does four times the work for four times the joins whose waits and needs are read one after another', async () => {
    const [short, long] = [await deciding(joinsInARow(250), 250), await deciding(joinsInARow(1_000), 1_000)];
    expect([short.moves.length, long.moves.length]).toEqual([251, 1_001]);
    expect(long.looks).toBeLessThan(4.1 * short.looks);
  });

  it('does four times the work for four times the steps also where the run times out behind them', async () => {
    const deadline: RunEvent = { kind: 'deadline', ...origin };
    const [short, long] = [
      await deciding(aChain(500, { condition: 'plain' }), 0, [deadline]),
      await deciding(aChain(2_000, { condition: 'plain' }), 0, [deadline]),
    ];
    expect([short.moves.length, long.moves.length]).toEqual([500, 2_000]);
    expect(long.looks).toBeLessThan(4.1 * short.looks);
  });

  it('comes to its end in a run of 10,000 steps each of which asks for all that a step may ask for', async () => {
    const { moves } = await deciding(joinsInARow(4_999), 4_999);
    expect(moves).toHaveLength(5_000);
    expect(moves.slice(1).every(({ enters, reason }) => enters === 'SKIPPED' && reason === 'step.condition_false')).toBe(true);
  });
});
