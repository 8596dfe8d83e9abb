import { describe, expect, it } from '@jest/globals';
import { DelayedEntries, redeliveryDelay } from './delayed-entries.ts';

describe('delayed entries', () => {
  it('come back when due, in the order in which they failed, and only once', () => {
    const delayed = new DelayedEntries(10);
    delayed.add({ stream: 's', id: '1', deliveries: 1 }, 0, 100);
    delayed.add({ stream: 's', id: '2', deliveries: 2 }, 0, 50);
    delayed.add({ stream: 's', id: '3', deliveries: 1 }, 0, 500);
    expect(delayed.nextIn(20)).toBe(30);
    expect(delayed.takeDue(20, 10).entries).toEqual([]);
    const due = delayed.takeDue(100, 10);
    expect(due.entries.map(({ id }) => id)).toEqual(['1', '2']);
    expect(due.delayMs).toBe(50);
    expect(delayed.has('s', '1')).toBe(false);
    expect(delayed.has('s', '3')).toBe(true);
  });

  it('remember no more than their bound', () => {
    const delayed = new DelayedEntries(1);
    delayed.add({ stream: 's', id: '1', deliveries: 1 }, 0, 10);
    delayed.add({ stream: 's', id: '2', deliveries: 1 }, 0, 10);
    expect(delayed.takeDue(10, 5).entries.map(({ id }) => id)).toEqual(['1']);
    expect(delayed.nextIn(10)).toBeUndefined();
  });

  it('wait twice as long each time, up to the bound', () => {
    expect([1, 2, 3, 4, 60].map((deliveries) => redeliveryDelay(deliveries, 100, 500))).toEqual([100, 200, 400, 500, 500]);
  });
});
