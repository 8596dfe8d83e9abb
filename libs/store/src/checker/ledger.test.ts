import { expect, it } from '@jest/globals';
import { doubledEffects } from './ledger.ts';

it('adds up what the outside world booked under one key', () => {
  const ledger = [
    { idempotencyKey: 'a', count: 1 },
    { idempotencyKey: 'b', count: 2 },
    { idempotencyKey: 'c', count: 1 },
    { idempotencyKey: 'c', count: 1 },
  ];
  expect(doubledEffects(ledger)).toEqual([
    { idempotencyKey: 'b', count: 2 },
    { idempotencyKey: 'c', count: 2 },
  ]);
  expect(doubledEffects([])).toEqual([]);
});
