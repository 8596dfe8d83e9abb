import { describe, expect, it } from '@jest/globals';
import { aChain, aPlan } from '../../../testing/src/given/plan.ts';
import { RunModel, type Verdict } from '../../../testing/src/given/run-model.ts';
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

describe('decideRun, about reports that come wrong', () => {
  const events: Record<string, (run: RunModel) => RunEvent> = {
    'an end of an earlier dispatch': (run) => run.give.succeeded('only', { token: { epoch: 1, dispatchNo: 1 } }),
    'a start of an earlier dispatch': (run) => run.give.started('only', { token: { epoch: 1, dispatchNo: 1 } }),
    'an end of a dispatch that never was': (run) => run.give.succeeded('only', { token: { epoch: 1, dispatchNo: 9 } }),
    'an end of another epoch': (run) => run.give.succeeded('only', { token: { epoch: 2, dispatchNo: 2 } }),
    'an end from another deployment': (run) => run.give.succeeded('only', { from: 'deployment-2' }),
    'a start from another deployment': (run) => run.give.started('only', { from: 'unknown' }),
    'an end of a step beyond the plan': (run) => run.give.succeeded('only', { stepNo: 99 }),
    'a lost dispatch that was sent again': (run) => run.give.lost('only', { token: { epoch: 1, dispatchNo: 1 } }),
    'a retry of a step that does not wait for one': (run) => run.give.retryDue('only'),
    'a delay of a step that does not wait': (run) => run.give.delayOver('only'),
    'an overdue step that has not started': (run) => run.give.overdue('only'),
    'an admission of a run that runs': (run) => run.give.admitted(),
    'a hold of a run that runs': (run) => run.give.held(),
    'a cancel that nobody asked for': (run) => run.give.cancel(),
  };
  it.each<[string, Verdict]>([
    ['an end of an earlier dispatch', 'stale'],
    ['a start of an earlier dispatch', 'stale'],
    ['an end of a dispatch that never was', 'stale'],
    ['an end of another epoch', 'stale'],
    ['an end from another deployment', 'foreign'],
    ['a start from another deployment', 'foreign'],
    ['an end of a step beyond the plan', 'stale'],
    ['a lost dispatch that was sent again', 'stale'],
    ['a retry of a step that does not wait for one', 'settled'],
    ['a delay of a step that does not wait', 'settled'],
    ['an overdue step that has not started', 'settled'],
    ['an admission of a run that runs', 'ignored'],
    ['a hold of a run that runs', 'ignored'],
    ['a cancel that nobody asked for', 'ignored'],
  ])('changes nothing for %s: %s', (what, verdict) => {
    const run = new RunModel(single).begun();
    run.take(run.give.lost('only', { was: 'unseen' }));
    const { rev } = run;
    const event = events[what];
    expect(event && run.take(event(run))).toEqual([verdict]);
    expect(run).toMatchObject({ rev, state: 'RUNNING', states: { only: 'DISPATCHED' } });
  });

  it('takes nothing of a step that has not begun, not even under a token that it could have', () => {
    const run = new RunModel(twoInARow).begun();
    const verdicts = run.take(
      run.give.succeeded('b', { token: { epoch: 1, dispatchNo: 1 } }),
      run.give.succeeded('b', { token: { epoch: 1, dispatchNo: 0 } }),
    );
    expect(verdicts).toEqual(['stale', 'settled']);
    expect(run.states).toEqual({ a: 'DISPATCHED', b: 'PENDING' });
  });

  it('believes nothing from before a raised epoch, neither end nor start, but sends the step again', () => {
    const run = new RunModel(single).begun();
    Object.assign(run, { limits: { epoch: 2, workerLossesMax: 3, silentLossesMax: 20 } });
    expect(run.take(run.give.succeeded('only'), run.give.started('only'))).toEqual(['stale', 'stale']);
    expect(run.take(run.give.lost('only', { was: 'unseen' }))).toEqual(['applied']);
    expect(run.row('only')).toMatchObject({ state: 'DISPATCHED', epoch: 2, dispatchNo: 2 });
    expect(run.take(run.give.succeeded('only'))).toEqual(['applied']);
    expect(run.state).toBe('SUCCEEDED');
  });

  const orders = [
    ['started', 'ended'],
    ['ended', 'started'],
    ['started', 'started', 'ended', 'ended'],
    ['ended', 'ended', 'started'],
    ['ended', 'started', 'ended', 'started'],
  ] as const;
  it.each(
    orders.flatMap((order) =>
      [true, false].map((together) => [order.join(', '), together ? 'in one batch' : 'one by one', order, together] as const),
    ),
  )('ends a step once by %s, %s', (_names, _how, order, together) => {
    const run = new RunModel(single).begun();
    const reports = { started: run.give.started('only'), ended: run.give.succeeded('only') };
    const told = order.map((kind) => ({ ...reports[kind] }));
    const verdicts = together ? run.take(...told) : told.flatMap((event) => run.take(event));
    expect(verdicts.filter((_verdict, at) => order[at] === 'ended').toSorted()).toEqual(
      order.filter((kind) => kind === 'ended').map((_kind, at) => (at === 0 ? 'applied' : 'settled')),
    );
    expect(run).toMatchObject({ state: 'SUCCEEDED', version: 3 });
    expect(run.row('only').version).toBe(3);
  });

  it('lets the first of two different ends win', () => {
    const run = new RunModel(single).begun();
    expect(run.take(run.give.failed('only'), run.give.succeeded('only'))).toEqual(['applied', 'settled']);
    expect(run.state).toBe('FAILED');
  });

  it('ends all steps of a batch that names them in any order', () => {
    const run = new RunModel(diamond).begun('top');
    const [left, right] = [run.give.succeeded('left'), run.give.succeeded('right')];
    expect(run.take(right, left, { ...right }, { ...left })).toEqual(['applied', 'applied', 'settled', 'settled']);
    expect(run.tasks.filter(({ name }) => name === 'join')).toHaveLength(1);
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

describe('decideRun, about workers that are lost or leave', () => {
  it('sends the same attempt again under a new token, and counts the loss', () => {
    const run = new RunModel(single).begun();
    run.take(run.give.started('only'));
    const old = run.give.tokenOf('only');
    expect(run.take(run.give.lost('only'))).toEqual(['applied']);
    expect(run.row('only')).toMatchObject({ state: 'DISPATCHED', attempt: 1, dispatchNo: 2, workerLosses: 1, reason: 'worker.lost' });
    expect(run.decisions.at(-1)?.dropped).toEqual([{ no: 1, dispatchNo: 1 }]);
    expect(run.decisions.at(-1)?.dispatches).toMatchObject([{ no: 1, dispatchNo: 2, attempt: 1 }]);
    expect(run.take(run.give.succeeded('only', { token: old }))).toEqual(['stale']);
    expect(run.take(run.give.succeeded('only'))).toEqual(['applied']);
  });

  it('does not count a message that was lost on its way', () => {
    const run = new RunModel(single).begun();
    run.take(run.give.lost('only', { was: 'unseen' }));
    expect(run.row('only')).toMatchObject({ state: 'DISPATCHED', dispatchNo: 2, workerLosses: 0, reason: 'task.lost' });
  });

  it('does not count the loss of a worker that had not begun the step', () => {
    const run = new RunModel(single).begun();
    run.take(run.give.lost('only', { was: 'held' }));
    expect(run.row('only')).toMatchObject({ state: 'DISPATCHED', dispatchNo: 2, workerLosses: 0, reason: 'worker.lost' });
  });

  it('fails a step whose worker was lost more often than allowed', () => {
    const run = new RunModel(single, { limits: { workerLossesMax: 2 } }).begun();
    for (const losses of [1, 2]) {
      run.take(run.give.lost('only'));
      expect(run.row('only')).toMatchObject({ state: 'DISPATCHED', workerLosses: losses });
    }
    run.take(run.give.lost('only'));
    expect(run.state).toBe('FAILED');
    expect(run.row('only')).toMatchObject({ state: 'FAILED', workerLosses: 3, reason: 'step.worker_lost' });
    expect(resultsOf(run)).toMatchObject([{ error: { code: 'step.worker_lost', retryable: false } }]);
  });

  it.each(['unseen', 'held'] as const)('fails in the end a step that is %s whenever its worker ends, and never heard of', (was) => {
    const run = new RunModel(single, { limits: { workerLossesMax: 2, silentLossesMax: 5 } }).begun();
    const loseSilently = (times: number) => Array.from({ length: times }, () => run.take(run.give.lost('only', { was })));
    loseSilently(5);
    expect(run.row('only')).toMatchObject({ state: 'DISPATCHED', dispatchNo: 6, workerLosses: 0 });
    loseSilently(2);
    expect(run.row('only')).toMatchObject({ state: 'DISPATCHED', dispatchNo: 8, workerLosses: 2, reason: 'worker.lost' });
    loseSilently(1);
    expect(run.row('only')).toMatchObject({ state: 'FAILED', workerLosses: 3, reason: 'step.worker_lost' });
  });

  it('keeps the losses of a step over its retries', () => {
    const run = new RunModel(retrying(3)).begun();
    run.take(run.give.lost('only'));
    run.take(run.give.failed('only'));
    run.take(run.give.retryDue('only'));
    expect(run.row('only')).toMatchObject({ attempt: 2, workerLosses: 1, dispatchNo: 3 });
  });

  it('sends again what a leaving worker hands back, and counts neither loss nor attempt', () => {
    const run = new RunModel(single).begun();
    expect(run.take(run.give.handedBack('only'))).toEqual(['applied']);
    expect(run.row('only')).toMatchObject({
      state: 'DISPATCHED',
      version: 3,
      attempt: 1,
      workerLosses: 0,
      dispatchNo: 2,
      reason: 'worker.left',
    });
  });

  it('counts one loss once when two sweeps find it', () => {
    const run = new RunModel(single).begun();
    expect(run.take(run.give.lost('only'), run.give.lost('only'))).toEqual(['applied', 'stale']);
    expect(run.row('only').workerLosses).toBe(1);
  });

  it('ends a step that its worker did not end at its timeout', () => {
    const run = new RunModel(retrying(2)).begun();
    run.take(run.give.started('only'));
    run.take(run.give.overdue('only'));
    expect(run.row('only')).toMatchObject({ state: 'RETRYING', reason: 'step.timeout' });
    run.take(run.give.retryDue('only'));
    run.take(run.give.started('only'));
    run.take(run.give.overdue('only'));
    expect(run).toMatchObject({ state: 'FAILED', states: { only: 'TIMED_OUT' } });
    expect(run.decisions.at(-1)?.dropped).toEqual([{ no: 1, dispatchNo: 2 }]);
  });

  it('knows when a step started that is told to have started and to be overdue at once', () => {
    const run = new RunModel(single).begun();
    expect(run.take(run.give.started('only'), run.give.overdue('only'))).toEqual(['applied', 'applied']);
    expect(run.states).toEqual({ only: 'TIMED_OUT' });
  });

  it('fails a step that is to be sent again and whose input can no longer be made', () => {
    const plan = aPlan({ a: {}, b: { needs: ['a'], inputReads: ['a'] } });
    const answers: StepEvaluation[] = [{ kind: 'run', input: 1 }, broken];
    const run = new RunModel(plan, { evaluate: () => answers.shift() ?? broken }).begun('a');
    run.take(run.give.handedBack('b'));
    expect(run).toMatchObject({ state: 'FAILED', states: { b: 'FAILED' } });
  });
});

describe('decideRun, about waiting and queueing', () => {
  const delayed = aPlan({ pause: { uses: 'delay', input: { duration: '90s' } }, after: { needs: ['pause'] } });

  it('waits for a delay, queues when it is over, and goes on when it is admitted', () => {
    const run = new RunModel(delayed).begun();
    expect(run).toMatchObject({ state: 'WAITING', version: 3, states: { pause: 'WAITING', after: 'PENDING' } });
    expect(run.timers).toEqual(new Map([['1 delay', 90_000]]));
    expect(run.take(run.give.delayOver('pause'))).toEqual(['applied']);
    expect(run).toMatchObject({ state: 'QUEUED', states: { pause: 'SUCCEEDED', after: 'PENDING' } });
    expect(run.take(run.give.delayOver('pause'))).toEqual(['settled']);
    run.take(run.give.admitted());
    expect(run).toMatchObject({ state: 'RUNNING', states: { after: 'DISPATCHED' } });
    run.take(run.give.succeeded('after'));
    expect(run.state).toBe('SUCCEEDED');
  });

  it('ends from WAITING when the delay was the last step', () => {
    const run = new RunModel(aPlan({ pause: { uses: 'delay', input: { duration: '1s' } } })).begun();
    run.take(run.give.delayOver('pause'));
    expect(run.state).toBe('SUCCEEDED');
  });

  it('runs on while another branch is busy', () => {
    const run = new RunModel(
      aPlan({ pause: { uses: 'delay', input: { duration: '1s' } }, busy: {}, join: { needs: ['pause', 'busy'] } }),
    ).begun();
    expect(run.state).toBe('RUNNING');
    run.take(run.give.delayOver('pause'));
    expect(run.state).toBe('RUNNING');
    run.take(run.give.succeeded('busy'));
    expect(run.states['join']).toBe('DISPATCHED');
  });

  it('waits when only delays are left, and begins a join whose needs ended while it waited and queued', () => {
    const pause = { uses: 'delay', input: { duration: '1s' } };
    const run = new RunModel(aPlan({ one: pause, two: pause, busy: {}, join: { needs: ['one', 'two', 'busy'] } })).begun('busy');
    expect(run.state).toBe('WAITING');
    run.take(run.give.delayOver('one'));
    expect(run.state).toBe('QUEUED');
    run.take(run.give.delayOver('two'));
    expect(run).toMatchObject({ state: 'QUEUED', states: { join: 'PENDING' } });
    run.take(run.give.admitted());
    expect(run).toMatchObject({ state: 'RUNNING', states: { join: 'DISPATCHED' } });
  });

  it('waits again when it is admitted before its next delay is over', () => {
    const pause = { uses: 'delay', input: { duration: '1s' } };
    const run = new RunModel(aPlan({ one: pause, two: pause, end: { needs: ['one', 'two'] } })).begun();
    run.take(run.give.delayOver('one'));
    run.take(run.give.admitted());
    expect(run.state).toBe('WAITING');
    run.take(run.give.delayOver('two'));
    run.take(run.give.admitted());
    expect(run.states['end']).toBe('DISPATCHED');
  });

  it('ends at its admission when its last steps ended while it queued', () => {
    const pause = { uses: 'delay', input: { duration: '1s' } };
    const run = new RunModel(aPlan({ one: pause, two: pause })).begun();
    run.take(run.give.delayOver('one'));
    run.take(run.give.delayOver('two'));
    expect(run.state).toBe('QUEUED');
    run.take(run.give.admitted());
    expect(run).toMatchObject({ state: 'SUCCEEDED' });
  });

  it('takes two delays that end in one batch', () => {
    const pause = { uses: 'delay', input: { duration: '1s' } };
    const run = new RunModel(aPlan({ one: pause, two: pause, end: { needs: ['one', 'two'] } })).begun();
    expect(run.take(run.give.delayOver('one'), run.give.delayOver('two'))).toEqual(['applied', 'applied']);
    expect(run.state).toBe('QUEUED');
  });

  it('begins what a delay made ready that was over in the same batch as the admission', () => {
    const pause = { uses: 'delay', input: { duration: '1s' } };
    const run = new RunModel(aPlan({ one: pause, two: pause, after: { needs: ['two'] } })).begun();
    run.take(run.give.delayOver('one'));
    expect(run.state).toBe('QUEUED');
    expect(run.take(run.give.delayOver('two'), run.give.admitted())).toEqual(['applied', 'applied']);
    expect(run).toMatchObject({ state: 'RUNNING', states: { after: 'DISPATCHED' } });
  });

  it('takes a hold and an admission of one batch, or an admission and the end of the delay that it began, one after the other', () => {
    const held = new RunModel(delayed);
    expect(held.take(held.give.held(), held.give.admitted())).toEqual(['applied', 'applied']);
    expect(held.state).toBe('WAITING');
    const quick = new RunModel(delayed);
    expect(quick.take(quick.give.admitted(), quick.give.delayOver('pause'))).toEqual(['applied', 'applied']);
    expect(quick.state).toBe('QUEUED');
  });

  it('fails a delay that says nothing usable', () => {
    const run = new RunModel(aPlan({ pause: { uses: 'delay', input: { duration: 'soon' } } })).begun();
    expect(run).toMatchObject({ state: 'FAILED', states: { pause: 'FAILED' } });
    expect(run.row('pause').reason).toBe('step.delay_invalid');
  });

  it('holds a new run once, and says by which limit', () => {
    const run = new RunModel(single);
    expect(run.take(run.give.held('limit.team'))).toEqual(['applied']);
    expect(run).toMatchObject({ state: 'QUEUED', version: 2 });
    expect(run.decisions[0]?.runMove?.reason).toBe('limit.team');
    expect(run.take(run.give.held('limit.team'))).toEqual(['ignored']);
    run.take(run.give.admitted());
    expect(run.state).toBe('RUNNING');
  });
});

describe('decideRun, about ends from outside', () => {
  const cancelling = (run: RunModel) => run.askToCancel();

  it('cancels every step that has not ended, and tells workers what to drop', () => {
    const run = cancelling(new RunModel(diamond).begun('top'));
    expect(run.take(run.give.cancel())).toEqual(['applied']);
    expect(run).toMatchObject({
      state: 'CANCELLED',
      states: { top: 'SUCCEEDED', left: 'CANCELLED', right: 'CANCELLED', join: 'CANCELLED' },
    });
    expect(run.decisions.at(-1)).toMatchObject({
      live: null,
      dropped: [
        { no: 2, dispatchNo: 1 },
        { no: 3, dispatchNo: 1 },
      ],
      waitsLowered: [],
      timersSet: [],
    });
    expect(run.take(run.give.cancel())).toEqual(['settled']);
  });

  it('cancels a run that never began', () => {
    const run = cancelling(new RunModel(diamond));
    run.take(run.give.cancel());
    expect(run).toMatchObject({ state: 'CANCELLED', states: { top: 'CANCELLED', join: 'CANCELLED' } });
  });

  it('cancels steps that wait and steps that are to be retried', () => {
    const plan = aPlan({ pause: { uses: 'delay', input: { duration: '1s' } }, flaky: { retry: { attempts: 2 } } });
    const run = new RunModel(plan).begun();
    run.take(run.give.failed('flaky'));
    cancelling(run).take(run.give.cancel());
    expect(run).toMatchObject({ state: 'CANCELLED', states: { pause: 'CANCELLED', flaky: 'CANCELLED' } });
  });

  it('records what still ends while it is cancelled, and begins nothing more', () => {
    const run = cancelling(new RunModel(twoInARow).begun());
    expect(run.take(run.give.succeeded('a'))).toEqual(['applied']);
    expect(run).toMatchObject({ state: 'CANCELLING', states: { a: 'SUCCEEDED', b: 'PENDING' } });
    run.take(run.give.cancel());
    expect(run).toMatchObject({ state: 'CANCELLED', states: { a: 'SUCCEEDED', b: 'CANCELLED' } });
  });

  it('retries nothing, and sends nothing again, while it is cancelled', () => {
    const run = cancelling(new RunModel(retrying(5)).begun());
    expect(run.take(run.give.lost('only'), run.give.handedBack('only'))).toEqual(['ignored', 'ignored']);
    run.take(run.give.failed('only'));
    expect(run.states).toEqual({ only: 'FAILED' });
    run.take(run.give.cancel());
    expect(run.state).toBe('CANCELLED');
  });

  it.each(['report first', 'cancel first'])('takes a report and the cancel in one batch, %s', (order) => {
    const run = cancelling(new RunModel(single).begun());
    const events = [run.give.succeeded('only'), run.give.cancel()];
    run.take(...(order === 'report first' ? events : events.toReversed()));
    expect(run).toMatchObject({ state: 'CANCELLED', states: { only: order === 'report first' ? 'SUCCEEDED' : 'CANCELLED' } });
  });

  it('ends a run at its deadline, whatever it is doing', () => {
    for (const run of [new RunModel(diamond), new RunModel(diamond).begun('top')]) {
      run.take(run.give.deadline());
      expect(run).toMatchObject({ state: 'TIMED_OUT', states: { join: 'CANCELLED' } });
    }
    const held = new RunModel(diamond);
    held.take(held.give.held());
    held.take(held.give.deadline());
    expect(held.state).toBe('TIMED_OUT');
    const waiting = new RunModel(aPlan({ pause: { uses: 'delay', input: { duration: '1s' } } })).begun();
    waiting.take(waiting.give.deadline());
    expect(waiting).toMatchObject({ state: 'TIMED_OUT', states: { pause: 'CANCELLED' } });
  });

  it('leaves a run that is being cancelled to its cancel', () => {
    const run = cancelling(new RunModel(single).begun());
    expect(run.take(run.give.deadline())).toEqual(['ignored']);
  });

  it('reaches the deadline in a second decision when the first has no room for it', () => {
    const run = new RunModel(aPlan({ a: { retry: { attempts: 2 } }, b: { needs: ['a'] } })).begun();
    expect(run.take(run.give.failed('a'), run.give.deadline())).toEqual(['applied', 'applied']);
    expect(run).toMatchObject({ state: 'TIMED_OUT', states: { a: 'CANCELLED', b: 'CANCELLED' } });
    const sent = new RunModel(twoInARow).begun();
    expect(sent.take(sent.give.succeeded('a'), sent.give.deadline())).toEqual(['applied', 'applied']);
    expect(sent).toMatchObject({ state: 'TIMED_OUT', states: { a: 'SUCCEEDED', b: 'CANCELLED' } });
  });

  it('changes nothing of a run that has ended', () => {
    const run = new RunModel(single).begun();
    run.take(run.give.succeeded('only'));
    expect(run.take(run.give.succeeded('only'), run.give.deadline(), run.give.admitted())).toEqual(['settled', 'settled', 'settled']);
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
