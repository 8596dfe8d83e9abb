import { describe, expect, it } from '@jest/globals';
import { compileDefinition } from '#definitions';
import { KINDS } from './kinds.ts';
import { planOf } from './plan-of.ts';

const plans = Array.from({ length: 3_000 }, (_, at) => planOf(11, at + 1));

describe('what happens to the runs of a seed', () => {
  it('is the same each time', () => {
    expect(planOf(11, 17)).toEqual(planOf(11, 17));
    expect(plans.slice(0, 50)).not.toEqual(Array.from({ length: 50 }, (_, at) => planOf(12, at + 1)));
  });

  it('has runs of every kind, cancels, retries and reads, by one caller and by several at once', () => {
    expect(new Set(plans.map(({ kind }) => kind.name)).size).toBe(KINDS.length);
    const count = (what: (plan: (typeof plans)[number]) => boolean) => plans.filter(what).length;
    expect(count(({ cancelAfterMs, cancellers }) => cancelAfterMs !== null && cancellers === 1)).toBeGreaterThan(100);
    expect(count(({ cancelAfterMs, cancellers }) => cancelAfterMs !== null && cancellers > 1)).toBeGreaterThan(50);
    expect(count(({ retriers }) => retriers === 1)).toBeGreaterThan(50);
    expect(count(({ retriers }) => retriers > 1)).toBeGreaterThan(50);
    expect(count(({ starters }) => starters > 1)).toBeGreaterThan(50);
    expect(count(({ readsAfterMs }) => readsAfterMs.length > 0)).toBeGreaterThan(300);
  });

  it.each(KINDS.map((kind) => [kind.name, kind] as const))(
    'is a sound workflow that books the effects it names: %s',
    (_, { source, effects }) => {
      const { plan } = compileDefinition(source);
      expect(plan.steps.filter(({ uses }) => uses === 'http').map(({ name }) => name)).toEqual(effects);
    },
  );

  it('starts every run under a key of its own', () => {
    expect(new Set(plans.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(plans.length);
  });
});
