import { describe, expect, it } from '@jest/globals';
import { HeldDeliveries } from './held-deliveries.ts';

const first = { stream: 's', id: '1', body: 'a', deliveries: 1 };

describe('held deliveries', () => {
  it('hold an entry once', () => {
    const held = new HeldDeliveries();
    expect(held.add(first)).toBe(true);
    expect(held.add({ ...first, deliveries: 2 })).toBe(false);
    expect(held.add({ ...first, stream: 't' })).toBe(true);
    expect(held.size).toBe(2);
    expect([held.remove(first), held.remove(first)]).toEqual([true, false]);
    expect(held.all()).toEqual([{ ...first, stream: 't' }]);
  });

  it('take another entry that an emptied server gave the same id', () => {
    const held = new HeldDeliveries();
    held.add(first);
    expect(held.add({ ...first, body: 'new' })).toBe(true);
    expect(held.all()).toEqual([{ ...first, body: 'new' }]);
    expect(held.size).toBe(1);
  });
});
