import { describe, expect, it } from '@jest/globals';
import { aTask } from '../testing/a-task.ts';
import { HeldStep, HeldSteps } from './held-step.ts';

describe('what a heartbeat lists', () => {
  it('names the steps that were begun first, and those not at all that are no longer held', () => {
    const steps = new HeldSteps();
    const held = (phase: HeldStep['phase'], dropped: HeldStep['dropped'] = null) => {
      const task = aTask();
      const step = new HeldStep(task, { stream: 'tasks:d', id: '1-0', body: JSON.stringify(task), deliveries: 1 });
      Object.assign(step, { phase, dropped });
      steps.add(step);
      return step.tuple;
    };
    const [waiting, running, ended, later] = [held('waiting'), held('running'), held('ended'), held('waiting')];
    held('running', 'lost');

    expect(steps.listed()).toEqual({ held: [running, ended, waiting, later], begun: 2 });
  });
});
