import { describe, expect, it } from '@jest/globals';
import { ReadPlan } from './read-plan.ts';

function planOf(...streams: string[]): ReadPlan {
  const plan = new ReadPlan();
  plan.setStreams(streams);
  return plan;
}

describe('the plan of reads', () => {
  it('never asks for more than the free capacity', () => {
    for (let count = 1; count <= 40; count += 1) {
      const plan = planOf(...Array.from({ length: count }, (_, i) => `s${i}`));
      for (let capacity = 1; capacity <= 50; capacity += 1) {
        const request = plan.next(capacity, 20, 2_000);
        expect(request.streams.length * request.count).toBeLessThanOrEqual(capacity);
        expect(request.count).toBeLessThanOrEqual(20);
        plan.answered(request, new Map([['s0', request.count]]));
      }
    }
  });

  it('reads a busy stream alone with the whole capacity, then all again', () => {
    const plan = planOf('a', 'b', 'c', 'd');
    const first = plan.next(100, 500, 2_000);
    plan.answered(first, new Map([['b', 25]]));
    expect(plan.next(100, 500, 2_000)).toEqual({ streams: ['b'], count: 100, blockMs: 0 });
    expect(plan.next(100, 500, 2_000)).toMatchObject({ count: 25, blockMs: 2_000 });
  });

  it('lets streams take turns, with short waits, when there are more than the capacity', () => {
    const plan = planOf('a', 'b', 'c');
    const read = [1, 2, 3].map(() => plan.next(1, 500, 2_000));
    expect(new Set(read.flatMap(({ streams }) => streams))).toEqual(new Set(['a', 'b', 'c']));
    expect(read.every(({ blockMs }) => blockMs < 100)).toBe(true);
  });

  it('waits for a single stream in full', () => {
    expect(planOf('a', 'a').next(7, 500, 1_500)).toEqual({ streams: ['a'], count: 7, blockMs: 1_500 });
  });
});
