import { describe, expect, it } from '@jest/globals';
import { aTask } from '../testing/a-task.ts';
import { decideIntake, type IntakeView } from './decide-intake.ts';

const view = (heldDispatch?: number): IntakeView => ({ epoch: 1, heldDispatch: () => heldDispatch });
const first = (task: unknown) => ({ body: JSON.stringify(task), deliveries: 1 });

describe('what is done with a delivered task', () => {
  it('is run when nobody has had it', () => {
    const task = aTask();

    expect(decideIntake(first(task), view())).toEqual({ kind: 'run', task, replaces: false });
  });

  it('is run in place of an older dispatch', () => {
    expect(decideIntake(first(aTask({ dispatchNo: 3 })), view(2))).toMatchObject({ kind: 'run', replaces: true });
  });

  it.each([
    ['is held here already', first(aTask({ dispatchNo: 2 })), 2, 'duplicate'],
    ['is older than what is held', first(aTask({ dispatchNo: 1 })), 2, 'stale'],
    ['comes from another epoch', first(aTask({ epoch: 2 })), undefined, 'stale'],
    ['had a holder whose lease ended', { ...first(aTask()), deliveries: 2 }, undefined, 'redelivered'],
  ])('is skipped when it %s', (_, delivery, held, why) => {
    expect(decideIntake(delivery, view(held))).toEqual({ kind: 'skip', why });
  });

  it.each(['', '{', 'null', '[]', '{"v":1}', JSON.stringify({ ...aTask(), extra: 1 }), JSON.stringify({ ...aTask(), stepNo: 0 })])(
    'is refused when it is %p',
    (body) => {
      expect(decideIntake({ body, deliveries: 1 }, view())).toMatchObject({ kind: 'refuse' });
    },
  );

  it('is refused when it is nested too deep to be looked at, instead of sinking its batch', () => {
    const deep = JSON.stringify(aTask({ input: 'here' })).replace('"here"', '['.repeat(20_000) + ']'.repeat(20_000));
    expect(decideIntake({ body: deep, deliveries: 1 }, view())).toEqual({
      kind: 'refuse',
      reason: 'The input is nested too deep.',
    });
  });
});
