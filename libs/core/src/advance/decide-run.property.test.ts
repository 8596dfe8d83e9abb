import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type GivenStep, aPlan } from '../../../testing/src/given/plan.ts';
import { RunModel } from '../../../testing/src/given/run-model.ts';
import type { Plan } from '../plan.ts';
import { type StepState, isTerminalStep } from '../states.ts';
import { reusableSteps } from './reuse.ts';
import type { RunEvent, StepEvaluation } from './run-view.ts';

const seed = Number(process.env['FLOWFORGE_SEED'] ?? Date.now() % 2 ** 31);
const settings = { seed, numRuns: Number(process.env['FLOWFORGE_PROPERTY_RUNS'] ?? 1_500) };

/** A node of a random plan: `needs` picks among the steps before it, `says` is what its condition and input come to. */
interface Node {
  readonly needs: readonly number[];
  readonly step: GivenStep;
  readonly says: StepEvaluation['kind'];
}

const node: fc.Arbitrary<Node> = fc.record({
  needs: fc.array(fc.nat(50), { maxLength: 3 }),
  step: fc.record({
    uses: fc.constantFrom('noop', 'noop', 'noop', 'delay'),
    condition: fc.constantFrom(undefined, undefined, 'plain' as const, 'reads failed' as const),
    inputReads: fc.constantFrom(undefined, [] as string[]),
    retry: fc.record({ attempts: fc.integer({ min: 1, max: 3 }) }),
  }) as fc.Arbitrary<GivenStep>,
  says: fc.constantFrom('run', 'run', 'run', 'skip', 'error'),
});
const nodes = fc.array(node, { minLength: 1, maxLength: 9 });
/** One thing that happens: what, to which step, and how it differs. */
const happening = fc.tuple(fc.nat(17), fc.nat(50), fc.nat(7));
const batches = fc.array(fc.array(happening, { minLength: 1, maxLength: 4 }), { maxLength: 40 });

function planOf(of: readonly Node[]): Plan {
  const name = (at: number) => `s${at + 1}`;
  const needsOf = (needs: readonly number[], at: number) => (at === 0 ? [] : [...new Set(needs.map((need) => name(need % at)))]);
  return aPlan(
    Object.fromEntries(of.map(({ needs, step }, at) => [name(at), { ...step, needs: needsOf(needs, at), input: { duration: '1s' } }])),
  );
}

function modelOf(of: readonly Node[]): RunModel {
  const answers: Record<StepEvaluation['kind'], StepEvaluation> = {
    run: { kind: 'run', input: { duration: '1s' } },
    skip: { kind: 'skip' },
    error: { kind: 'error', code: 'expression.failed', message: 'no such key' },
  };
  return new RunModel(planOf(of), { evaluate: (no) => answers[of[no - 1]?.says ?? 'run'] });
}

/** Turns a random number into something that may reach a scheduler, true or not. */
function eventOf(run: RunModel, [what, which, how]: readonly [number, number, number]): RunEvent {
  const { give, plan } = run;
  const name = `s${(which % plan.steps.length) + 1}`;
  const now = give.tokenOf(name);
  // Mostly what is true now; else an earlier or a later dispatch, or another epoch.
  const token = how < 4 ? now : { epoch: how === 7 ? 2 : 1, dispatchNo: Math.max(1, now.dispatchNo + (how === 4 ? -1 : 1)) };
  const from = how === 6 ? 'deployment-2' : run.deploymentId;
  const kinds: (() => RunEvent)[] = [
    () => give.started(name, { token, from }),
    () => give.succeeded(name, { token, from, output: how }),
    () => give.succeeded(name),
    () => give.failed(name, { token, from, error: { retryable: how % 2 === 0 } }),
    () => give.failed(name, { token, from, outcome: 'timed_out' }),
    () => give.handedBack(name, { token, from }),
    () => give.lost(name, { token, was: (['begun', 'held', 'unseen'] as const)[how % 3] ?? 'begun' }),
    () => give.overdue(name, token),
    () => give.retryDue(name),
    () => give.delayOver(name),
    () => give.admitted(run.state === 'CREATED' ? reusedAtRandom(plan, which * 8 + how) : []),
    () => give.held(),
    () => give.succeeded(name, { stepNo: plan.steps.length + 1 + how }),
    () => (how === 0 ? give.deadline() : give.delayOver(name)),
    () => give.cancel(),
    () => give.admitted(),
    () => give.started(name),
  ];
  return (kinds[what % kinds.length] ?? (() => give.cancel()))();
}

/** Steps that a retry could take over when the bits of `bits` say which succeeded. */
function reusedAtRandom(plan: Plan, bits: number): number[] {
  const ended = plan.steps.map(({ no }): [number, { state: StepState; reason: null }] => [
    no,
    { state: (bits >> (no % 6)) % 2 === 1 ? 'SUCCEEDED' : 'FAILED', reason: null },
  ]);
  return bits % 3 === 0 ? reusableSteps(plan, new Map(ended)) : [];
}

/** Lets happen what any run comes to at last: its workers answer, its timers fire, its place becomes free. */
function bringToItsEnd(run: RunModel): void {
  for (let round = 0; !run.isOver; round += 1) {
    if (round > 200) throw new Error(`The run does not end: ${JSON.stringify(run.states)}`);
    if (run.state === 'CANCELLING') run.take(run.give.cancel());
    if (run.state === 'CREATED' || run.state === 'QUEUED') run.take(run.give.admitted());
    for (const [name, state] of Object.entries(run.states)) {
      if (state === 'DISPATCHED' || state === 'RUNNING') run.take(run.give.succeeded(name));
      if (state === 'RETRYING') run.take(run.give.retryDue(name));
      if (state === 'WAITING') run.take(run.give.delayOver(name));
    }
  }
}

/** What each step of a run that ended by itself must have come to, from nothing but the ends of its needs. */
function checkOutcomes(run: RunModel, of: readonly Node[]): void {
  if (run.state !== 'SUCCEEDED' && run.state !== 'FAILED') return;
  for (const { no, needs, condition, inputReads } of run.plan.steps) {
    const { state, reason } = run.rows.get(no) ?? {};
    if (reason === 'step.reused') continue;
    const failed = needs.some((need) => {
      const row = run.rows.get(need);
      return row?.state === 'SKIPPED' ? row.reason === 'step.need_failed' : row?.state !== 'SUCCEEDED';
    });
    const says = condition === null && inputReads === null ? 'run' : of[no - 1]?.says;
    if (failed && !condition?.readsFailed) expect([no, state, reason]).toEqual([no, 'SKIPPED', 'step.need_failed']);
    else if (says === 'skip') expect([no, state, reason]).toEqual([no, 'SKIPPED', 'step.condition_false']);
    else if (says === 'error') expect([no, state, reason]).toEqual([no, 'FAILED', 'expression.failed']);
    else expect(['SUCCEEDED', 'FAILED', 'TIMED_OUT']).toContain(state);
  }
}

describe(`decideRun, with seed ${seed} (FLOWFORGE_SEED)`, () => {
  it('moves any run legally, with exact counters, to exactly one end, whatever comes in whatever order', () => {
    const ends = new Map<string, number>();
    fc.assert(
      fc.property(nodes, batches, fc.nat(60), (of, happenings, cancelAt) => {
        const run = modelOf(of);
        happenings.forEach((batch, at) => {
          if (at === cancelAt) run.askToCancel();
          // The batch is told of one moment: what its first event changes makes the others late.
          run.take(...batch.map((one) => eventOf(run, one)));
        });
        bringToItsEnd(run);
        expect([...run.rows.values()].filter(({ state }) => isTerminalStep(state))).toHaveLength(run.plan.steps.length);
        checkOutcomes(run, of);
        ends.set(run.state, (ends.get(run.state) ?? 0) + 1);
      }),
      settings,
    );
    // The walk is worth nothing when it always comes out at the same door.
    expect([...ends.keys()].toSorted()).toEqual(['CANCELLED', 'FAILED', 'SUCCEEDED', 'TIMED_OUT']);
  });

  it('decides the same about the same, and however much of the run was read before', () => {
    fc.assert(
      fc.property(nodes, batches, (of, happenings) => {
        const run = modelOf(of);
        for (const batch of happenings) {
          if (!run.live) break;
          const events = batch.map((one) => eventOf(run, one));
          const decision = run.consider(events);
          expect(run.consider(events)).toEqual(decision);
          expect(run.considerKnowingAll(events)).toEqual(decision);
          run.take(...events);
        }
      }),
      { ...settings, numRuns: Math.ceil(settings.numRuns / 5) },
    );
  });

  it('decides the same when it looks ahead, with conditions that look at their needs', () => {
    fc.assert(
      fc.property(nodes, batches, (of, happenings) => {
        const { plan } = modelOf(of);
        const steps = plan.steps.map((step) => (step.condition ? { ...step, condition: { ...step.condition, steps: step.needs } } : step));
        const says: readonly StepEvaluation[] = [
          { kind: 'skip' },
          { kind: 'run', input: { duration: '1s' } },
          { kind: 'skip' },
          { kind: 'error', code: 'expression.failed', message: 'no such key' },
        ];
        const run = new RunModel(
          { ...plan, steps },
          // Another state of a need that the evaluation is told of would be another answer.
          { evaluate: (no, failed, drafted) => says[(no + Number(failed) + JSON.stringify(drafted).length) % 4] ?? { kind: 'skip' } },
        );
        for (const batch of happenings) {
          if (!run.live) break;
          const events = batch.map((one) => eventOf(run, one));
          expect(run.considerLookingAhead(events)).toEqual(run.consider(events));
          run.take(...events);
        }
      }),
      { ...settings, numRuns: Math.ceil(settings.numRuns / 3) },
    );
  });

  it('comes to the same end whatever order the reports of a batch are in', () => {
    fc.assert(
      fc.property(nodes, fc.array(fc.nat(), { maxLength: 60 }), fc.nat(), (of, shuffle, bits) => {
        const [straight, shuffled] = [modelOf(of), modelOf(of)];
        for (const run of [straight, shuffled]) {
          for (let round = 0; !run.isOver && round < 200; round += 1) {
            const reports = Object.entries(run.states).flatMap(([name, state], at): RunEvent[] => {
              if (state === 'WAITING') return [run.give.delayOver(name)];
              if (state !== 'DISPATCHED') return [];
              const end = (bits >> (at % 30)) % 4 === 3 ? run.give.failed(name, { error: { retryable: false } }) : run.give.succeeded(name);
              return [run.give.started(name), end, { ...end }];
            });
            const told =
              run === straight ? reports : reports.toSorted((_one, _other) => ((shuffle[round % (shuffle.length || 1)] ?? 0) % 3) - 1);
            run.take(...told, ...(run.state === 'CREATED' || run.state === 'QUEUED' ? [run.give.admitted()] : []));
          }
        }
        expect(shuffled.state).toBe(straight.state);
        expect(shuffled.states).toEqual(straight.states);
      }),
      { ...settings, numRuns: Math.ceil(settings.numRuns / 3) },
    );
  });
});
