import { describe, expect, it } from '@jest/globals';
import { aPlan } from '../../../testing/src/given/plan.ts';
import { RunModel, type Verdict } from '../../../testing/src/given/run-model.ts';
import type { RunEvent, StepEvaluation } from './run-view.ts';

const single = aPlan({ only: {} });
const twoInARow = aPlan({ a: {}, b: { needs: ['a'] } });
const diamond = aPlan({ top: {}, left: { needs: ['top'] }, right: { needs: ['top'] }, join: { needs: ['left', 'right'] } });
const retrying = (attempts: number, more = {}) => aPlan({ only: { retry: { attempts, ...more } } });
const broken: StepEvaluation = { kind: 'error', code: 'expression.failed', message: 'no such key' };

/** What the model's last decision sets as results. */
const resultsOf = (run: RunModel) => run.decisions.at(-1)?.results;

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
