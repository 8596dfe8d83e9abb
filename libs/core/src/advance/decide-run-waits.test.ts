import { describe, expect, it } from '@jest/globals';
import { aPlan } from '../../../testing/src/given/plan.ts';
import { RunModel } from '../../../testing/src/given/run-model.ts';

const single = aPlan({ only: {} });
const twoInARow = aPlan({ a: {}, b: { needs: ['a'] } });
const diamond = aPlan({ top: {}, left: { needs: ['top'] }, right: { needs: ['top'] }, join: { needs: ['left', 'right'] } });
const retrying = (attempts: number, more = {}) => aPlan({ only: { retry: { attempts, ...more } } });

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
