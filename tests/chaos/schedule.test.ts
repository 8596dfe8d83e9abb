import { describe, expect, it } from '@jest/globals';
import { CALM, QUICK, dealTurns, describeTurn } from './schedule.ts';

const deck = ['redis', 'postgres', 'process', 'link', 'message', 'clock'].flatMap((targets, at) =>
  [1, 2].map((no) => ({ id: `F${at}${no}`, name: `${targets}-${no}`, targets })),
);

function turns(seed: number, count: number, pace = CALM) {
  return [...dealTurns(seed, deck, pace).take(count)];
}

describe('the schedule of a seed', () => {
  it('is the same each time it is dealt', () => {
    expect(turns(7, 500)).toEqual(turns(7, 500));
    expect(turns(7, 20).map(describeTurn)).not.toEqual(turns(8, 20).map(describeTurn));
  });

  it('stays as it is written in this test, so that a seed of last year replays', () => {
    expect(turns(1, 4).map(describeTurn)).toEqual([
      '   1. after 2.4 s: clock-1 (F51, seed 389386498)',
      '   2. after 2.5 s: link-2 (F32, seed 822838094)',
      '   3. after 1.9 s: process-1 (F21, seed 318394376)',
      '   4. after 4.0 s: message-1 (F41, seed 1581300210)',
    ]);
  });

  it('deals every fault of the deck equally often', () => {
    const dealt = turns(3, 1_000, { ...CALM, together: 0.5 }).flatMap(({ faults }) => faults.map(({ card }) => card.name));
    const counts = deck.map(({ name }) => dealt.filter((one) => one === name).length);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
  });

  it('breaks two things at once only where they are different', () => {
    const pairs = turns(5, 1_000).filter(({ faults }) => faults.length === 2);
    expect(pairs.length).toBeGreaterThan(50);
    for (const { faults } of pairs) expect(new Set(faults.map(({ card }) => card.targets)).size).toBe(2);
  });

  it('pauses within its bounds', () => {
    for (const { pauseMs } of turns(9, 500, QUICK)) {
      expect(pauseMs).toBeGreaterThanOrEqual(QUICK.pauseMsMin);
      expect(pauseMs).toBeLessThanOrEqual(QUICK.pauseMsMax);
    }
  });

  it('is empty without faults', () => {
    expect([...dealTurns(1, [], CALM)]).toEqual([]);
  });
});
