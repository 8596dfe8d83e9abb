import { describe, expect, it } from '@jest/globals';
import type { Transition } from '#contracts';
import { ganttOf } from './gantt.ts';

const move = (ms: number, step: string | null, newState: string, attempt: number | null = null): Transition => ({
  seq: ms + 1,
  stepNo: step === null ? 0 : 1,
  step,
  previousState: null,
  newState,
  version: 1,
  causeId: '00000000-0000-4000-8000-000000000000',
  actor: 'test',
  reason: null,
  attempt,
  dispatchNo: null,
  transitionedAt: new Date(Date.UTC(2026, 0, 1) + ms).toISOString(),
  createdAt: new Date(Date.UTC(2026, 0, 1) + ms).toISOString(),
});

describe('the timeline of a run', () => {
  it('shows when a step was sent, ran, failed, rested and ran again', () => {
    const transitions = [
      move(0, null, 'CREATED'),
      move(100, 'fetch', 'DISPATCHED', 1),
      move(200, 'fetch', 'RUNNING', 1),
      move(400, 'fetch', 'RETRYING', 1),
      move(700, 'fetch', 'DISPATCHED', 2),
      move(800, 'fetch', 'RUNNING', 2),
      move(999, 'fetch', 'SUCCEEDED', 2),
      move(1000, null, 'SUCCEEDED'),
    ];

    expect(ganttOf(transitions, 10)).toEqual(['fetch │ ·██✗░░░██│  0.40 s  2 attempts', '      0 s  1.00 s']);
  });

  it('marks where a step was sent again because its worker was lost', () => {
    const again = { ...move(500, 'a', 'DISPATCHED', 1), reason: 'worker.lost' };
    const transitions = [
      move(0, null, 'CREATED'),
      move(100, 'a', 'RUNNING', 1),
      again,
      move(800, 'a', 'RUNNING', 1),
      move(999, 'a', 'SUCCEEDED', 1),
    ];

    expect(ganttOf([...transitions, move(1000, null, 'SUCCEEDED')], 10)[0]).toBe('a    │ ████✗··██│  0.60 s');
  });

  it('gives a step of no length a column', () => {
    const transitions = [move(0, null, 'CREATED'), move(500, 'a', 'RUNNING'), move(500, 'a', 'SUCCEEDED'), move(1000, null, 'SUCCEEDED')];

    expect(ganttOf(transitions, 4)[0]).toBe('a    │  █ │  0.00 s');
  });

  it('has no lines for a run without transitions', () => {
    expect(ganttOf([])).toEqual([]);
  });
});
