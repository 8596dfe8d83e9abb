import { describe, expect, it } from '@jest/globals';
import { aChain, aPlan } from '../../../testing/src/given/plan.ts';
import { RunModel } from '../../../testing/src/given/run-model.ts';
import type { RunEvent, StepEvaluation } from './run-view.ts';

const single = aPlan({ only: {} });
const twoInARow = aPlan({ a: {}, b: { needs: ['a'] } });
const diamond = aPlan({ top: {}, left: { needs: ['top'] }, right: { needs: ['top'] }, join: { needs: ['left', 'right'] } });
const retrying = (attempts: number, more = {}) => aPlan({ only: { retry: { attempts, ...more } } });
const skip: StepEvaluation = { kind: 'skip' };
const broken: StepEvaluation = { kind: 'error', code: 'expression.failed', message: 'no such key' };

/** What the model's last decision sets as results. */
const resultsOf = (run: RunModel) => run.decisions.at(-1)?.results;

describe('decideRun, in a life without trouble', () => {
  it('sends the only step, and ends the run with it: six moves in all', () => {
    const run = new RunModel(single);
    expect(run.take(run.give.admitted())).toEqual(['applied']);
    expect(run).toMatchObject({
      state: 'RUNNING',
      version: 2,
      states: { only: 'DISPATCHED' },
      tasks: [{ name: 'only', dispatchNo: 1, attempt: 1 }],
    });
    expect(run.take(run.give.succeeded('only', { output: { rows: 3 } }))).toEqual(['applied']);
    expect(run).toMatchObject({ state: 'SUCCEEDED', version: 3, live: false });
    expect(run.row('only')).toMatchObject({ state: 'SUCCEEDED', version: 3, attempt: 1 });
    expect(run.decisions.at(-1)).toMatchObject({
      stepMoves: [{ leaves: 'DISPATCHED', via: 'RUNNING', enters: 'SUCCEEDED', version: 3, startedMsAgo: 5 }],
      results: [{ no: 1, output: { rows: 3 }, error: null }],
      live: null,
    });
  });

  it('follows a chain step by step', () => {
    const run = new RunModel(aChain(3)).begun('s1', 's2');
    expect(run.states).toEqual({ s1: 'SUCCEEDED', s2: 'SUCCEEDED', s3: 'DISPATCHED' });
    run.take(run.give.succeeded('s3'));
    expect(run.state).toBe('SUCCEEDED');
  });

  it('fans out, and begins a join after its last need', () => {
    const run = new RunModel(diamond).begun('top');
    expect(run.states).toMatchObject({ left: 'DISPATCHED', right: 'DISPATCHED', join: 'PENDING' });
    run.take(run.give.succeeded('right'));
    expect(run.states).toMatchObject({ join: 'PENDING' });
    expect(run.unmet.get(4)).toBe(1);
    run.take(run.give.succeeded('left'));
    expect(run.states).toMatchObject({ join: 'DISPATCHED' });
  });

  it('fires a join that is fed twice in one batch once', () => {
    const run = new RunModel(diamond).begun('top');
    expect(run.take(run.give.succeeded('left'), run.give.succeeded('right'))).toEqual(['applied', 'applied']);
    expect(run.decisions.at(-1)).toMatchObject({ waitsLowered: [{ no: 4, by: 2 }], dispatches: [{ no: 4, dispatchNo: 1 }] });
  });

  it('takes a start and an end of one step in one batch', () => {
    const run = new RunModel(single).begun();
    expect(run.take(run.give.started('only'), run.give.succeeded('only'))).toEqual(['applied', 'applied']);
    expect(run.decisions.at(-1)?.stepMoves).toMatchObject([{ leaves: 'DISPATCHED', via: 'RUNNING', enters: 'SUCCEEDED', startedMsAgo: 5 }]);
  });

  it('takes the start first and the end later, by single moves', () => {
    const run = new RunModel(single).begun();
    run.take(run.give.started('only'));
    expect(run.row('only')).toMatchObject({ state: 'RUNNING', version: 2 });
    run.take(run.give.succeeded('only'));
    expect(run.decisions.at(-1)?.stepMoves).toMatchObject([{ leaves: 'RUNNING', via: null, enters: 'SUCCEEDED', startedMsAgo: null }]);
  });

  it('runs a thousand steps side by side', () => {
    const names = Array.from({ length: 1_000 }, (_, at) => `s${at + 1}`);
    const run = new RunModel(aPlan({ ...Object.fromEntries(names.map((name) => [name, {}])), join: { needs: names } })).begun();
    expect(run.tasks).toHaveLength(1_000);
    run.take(...names.map((name) => run.give.succeeded(name)));
    expect(run.states['join']).toBe('DISPATCHED');
  });

  it('sends steps with their evaluated input', () => {
    const plan = aPlan({ a: {}, b: { needs: ['a'], inputReads: ['a'], input: { from: '${{ steps.a.output }}' } } });
    const run = new RunModel(plan, { evaluate: () => ({ kind: 'run', input: { from: 7 } }) }).begun('a');
    expect(run.decisions.at(-1)?.dispatches).toEqual([{ no: 2, dispatchNo: 1, attempt: 1, input: { from: 7 } }]);
  });
});

describe('decideRun, about steps that fail', () => {
  it('fails the run when a step has failed and all have ended', () => {
    const run = new RunModel(twoInARow).begun();
    run.take(run.give.failed('a', { error: { code: 'http.status.404' } }));
    expect(run).toMatchObject({ state: 'FAILED', states: { a: 'FAILED', b: 'SKIPPED' } });
    expect(run.row('a').reason).toBe('http.status.404');
    expect(run.row('b').reason).toBe('step.need_failed');
  });

  it('lets the branches beside a failed one come to their end first', () => {
    const run = new RunModel(diamond).begun('top');
    run.take(run.give.failed('left'));
    expect(run).toMatchObject({ state: 'RUNNING', counters: { failed: true, remaining: 2 } });
    run.take(run.give.succeeded('right'));
    expect(run).toMatchObject({ state: 'FAILED', states: { join: 'SKIPPED' } });
  });

  it('skips through joins: what stands on what was skipped for a failure is skipped, too', () => {
    const run = new RunModel(
      aPlan({ a: {}, b: {}, c: { needs: ['a'] }, d: { needs: ['b', 'c'] }, e: { needs: ['d'] }, f: { needs: ['d', 'e'] } }),
    ).begun('b');
    run.take(run.give.failed('a'));
    expect(run.states).toMatchObject({ c: 'SKIPPED', d: 'SKIPPED', e: 'SKIPPED', f: 'SKIPPED' });
    expect(run.state).toBe('FAILED');
  });

  it('skips 10,000 steps in a row without overflowing the stack', () => {
    const run = new RunModel(aChain(10_000)).begun();
    run.take(run.give.failed('s1'));
    expect(run.state).toBe('FAILED');
    expect(run.row('s10000')).toMatchObject({ state: 'SKIPPED', reason: 'step.need_failed' });
  });

  it('tells a step that timed out from one that failed', () => {
    const run = new RunModel(single).begun();
    run.take(run.give.failed('only', { outcome: 'timed_out' }));
    expect(run).toMatchObject({ state: 'FAILED', states: { only: 'TIMED_OUT' } });
  });

  it('takes a failure without an error for one', () => {
    const run = new RunModel(single).begun();
    run.take({ ...run.give.failed('only'), error: null } as RunEvent);
    expect(resultsOf(run)).toMatchObject([{ error: { code: 'step.failed' } }]);
  });
});

describe('decideRun, about conditions', () => {
  const guarded = (condition: 'plain' | 'reads failed') => aPlan({ a: {}, b: { needs: ['a'], condition }, c: { needs: ['b'] } });

  it('leaves out a step whose condition is false; what needs it goes on', () => {
    const run = new RunModel(guarded('plain'), { evaluate: () => skip }).begun('a');
    expect(run).toMatchObject({ state: 'RUNNING', states: { b: 'SKIPPED', c: 'DISPATCHED' } });
    expect(run.row('b').reason).toBe('step.condition_false');
  });

  it('does not ask a plain condition when a need has failed', () => {
    const asked: number[] = [];
    const run = new RunModel(guarded('plain'), { evaluate: (no) => (asked.push(no), skip) }).begun();
    run.take(run.give.failed('a'));
    expect(run).toMatchObject({ state: 'FAILED', states: { b: 'SKIPPED', c: 'SKIPPED' } });
    expect(asked).toEqual([]);
  });

  it.each([true, false])('lets a condition that names `failed` decide: %s', (failed) => {
    const seen: boolean[] = [];
    const run = new RunModel(guarded('reads failed'), {
      evaluate: (_no, is) => (seen.push(is), is ? { kind: 'run', input: {} } : skip),
    }).begun();
    run.take(failed ? run.give.failed('a') : run.give.succeeded('a'));
    expect(seen).toEqual([failed]);
    expect(run.states['b']).toBe(failed ? 'DISPATCHED' : 'SKIPPED');
    // A run with a failed step ends failed, whatever was cleaned up after it.
    run.take(failed ? run.give.succeeded('b') : run.give.succeeded('c'));
    if (failed) run.take(run.give.succeeded('c'));
    expect(run.state).toBe(failed ? 'FAILED' : 'SUCCEEDED');
  });

  it('fails a step whose expression fails, and the run with it', () => {
    const run = new RunModel(guarded('plain'), { evaluate: () => broken }).begun('a');
    expect(run).toMatchObject({ state: 'FAILED', states: { b: 'FAILED', c: 'SKIPPED' } });
    expect(resultsOf(run)).toEqual([
      { no: 2, output: null, error: { code: 'expression.failed', message: 'no such key', retryable: false } },
    ]);
  });

  it('ends a run at once whose first step is left out', () => {
    const run = new RunModel(aPlan({ only: { condition: 'plain' } }), { evaluate: () => skip }).begun();
    expect(run).toMatchObject({ state: 'SUCCEEDED', version: 3, live: false });
    expect(run.decisions[0]?.runMove).toMatchObject({ leaves: 'CREATED', via: 'RUNNING', enters: 'SUCCEEDED' });
  });

  it('follows a chain of 200 steps that are all left out', () => {
    expect(new RunModel(aChain(200, { condition: 'plain' }), { evaluate: () => skip }).begun().state).toBe('SUCCEEDED');
  });
});

describe('decideRun, about retries', () => {
  it('tries again as often as the policy says', () => {
    const run = new RunModel(retrying(3)).begun();
    for (const attempt of [1, 2]) {
      run.take(run.give.failed('only'));
      expect(run.row('only')).toMatchObject({ state: 'RETRYING', attempt });
      expect(run.timers).toEqual(new Map([['1 retry', attempt * 1_000]]));
      run.take(run.give.retryDue('only'));
      expect(run.row('only')).toMatchObject({ state: 'DISPATCHED', attempt: attempt + 1, dispatchNo: attempt + 1 });
      expect(run.timers.size).toBe(0);
    }
    run.take(run.give.failed('only'));
    expect(run).toMatchObject({ state: 'FAILED' });
    expect(run.row('only').attempt).toBe(3);
  });

  it('keeps a run RUNNING while a step waits for its retry', () => {
    const run = new RunModel(retrying(2)).begun();
    run.take(run.give.failed('only'));
    expect(run).toMatchObject({ state: 'RUNNING', counters: { active: 1, failed: false } });
  });

  it.each([
    ['an error that is not to be retried', { retryable: false }, {}],
    ['an error that the policy names', { code: 'http.status.404' }, { nonRetryable: ['http.status.404'] }],
  ])('does not retry %s', (_what, error, policy) => {
    const run = new RunModel(retrying(5, policy)).begun();
    run.take(run.give.failed('only', { error }));
    expect(run.state).toBe('FAILED');
  });

  it('waits as long as the outside world asked for', () => {
    const run = new RunModel(retrying(2)).begun();
    run.take(run.give.failed('only', { error: { retryAfterSeconds: 120 } }));
    expect(run.timers.get('1 retry')).toBe(120_000);
  });

  it('replaces the error of an earlier try when the step succeeds without an output', () => {
    const run = new RunModel(retrying(2)).begun();
    run.take(run.give.failed('only'));
    expect(resultsOf(run)).toMatchObject([{ no: 1, error: { code: 'step.broken' } }]);
    run.take(run.give.retryDue('only'));
    run.take(run.give.succeeded('only'));
    expect(resultsOf(run)).toEqual([{ no: 1, output: null, error: null }]);
  });

  it('evaluates the input of a retry again, and not its condition', () => {
    const plan = aPlan({ a: {}, b: { needs: ['a'], condition: 'plain', inputReads: ['a'], retry: { attempts: 2 } } });
    const run = new RunModel(plan, { evaluate: () => ({ kind: 'run', input: 7 }) }).begun('a');
    run.take(run.give.failed('b'));
    run.take(run.give.retryDue('b'));
    expect(run.decisions.at(-1)?.dispatches).toEqual([{ no: 2, dispatchNo: 2, attempt: 2, input: 7 }]);
  });

  it('takes a failure and its due timer in one batch', () => {
    const run = new RunModel(retrying(2)).begun();
    run.take(run.give.started('only'));
    expect(run.take(run.give.failed('only'), run.give.retryDue('only'))).toEqual(['applied', 'applied']);
    expect(run.row('only')).toMatchObject({ state: 'DISPATCHED', attempt: 2 });
  });
});

describe('decideRun, about a run that retries another', () => {
  const admit = (run: RunModel, ...names: string[]) => run.take(run.give.admitted(names.map((name) => run.noOf(name))));

  it('takes over what need not run again, and begins behind it', () => {
    const run = new RunModel(diamond);
    expect(admit(run, 'top', 'left')).toEqual(['applied']);
    expect(run.states).toEqual({ top: 'SKIPPED', left: 'SKIPPED', right: 'DISPATCHED', join: 'PENDING' });
    expect(run.row('top').reason).toBe('step.reused');
    expect(run.decisions[0]).toMatchObject({ reused: [1, 2], waitsBegun: [{ no: 4, unmet: 1 }] });
    run.take(run.give.succeeded('right'));
    expect(run.states['join']).toBe('DISPATCHED');
  });

  it('begins a join at once whose needs were all taken over, without a row for its wait', () => {
    const run = new RunModel(diamond);
    admit(run, 'top', 'left', 'right');
    expect(run.states['join']).toBe('DISPATCHED');
    expect(run.decisions[0]?.waitsBegun).toEqual([]);
  });

  it('ends at once when nothing is left to do', () => {
    const run = new RunModel(diamond);
    admit(run, 'top', 'left', 'right', 'join');
    expect(run.state).toBe('SUCCEEDED');
  });

  it('asks conditions again of the steps that were left out, and those behind them', () => {
    const plan = aPlan({ a: {}, maybe: { needs: ['a'], condition: 'plain' }, z: { needs: ['maybe'] } });
    const run = new RunModel(plan, { evaluate: () => skip });
    admit(run, 'a', 'z');
    expect(run).toMatchObject({ state: 'SUCCEEDED', states: { a: 'SKIPPED', maybe: 'SKIPPED', z: 'SKIPPED' } });
    expect(run.row('maybe').reason).toBe('step.condition_false');
  });
});
