import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type AdmissionLimits, type QueuedRun, decideAdmission } from './decide-admission.ts';

let made = 0;
const queued = (run: Partial<QueuedRun> = {}): QueuedRun => {
  made += 1;
  return {
    runId: `run-${String(made).padStart(6, '0')}`,
    deploymentId: 'd1',
    workflowId: 'w1',
    team: 'red',
    priority: 0,
    concurrencyKey: null,
    concurrencyLimit: null,
    began: false,
    queuedSeconds: 0,
    ...run,
  };
};
const many = (count: number, run: Partial<QueuedRun> = {}) => Array.from({ length: count }, () => queued(run));
interface Limits {
  deployments?: Record<string, number>;
  teams?: Record<string, number>;
  weights?: Record<string, number>;
}
const limited = ({ deployments = {}, teams = {}, weights = {} }: Limits = {}): AdmissionLimits => ({
  deployment: (id) => deployments[id] ?? null,
  team: (name) => teams[name] ?? null,
  weight: (team) => weights[team] ?? 1,
});
const idsOf = (runs: readonly QueuedRun[]) => runs.map(({ runId }) => runId);
const reasonsOf = (held: readonly { reason: string }[]) => [...new Set(held.map(({ reason }) => reason))];

describe('decideAdmission', () => {
  it('admits everything where nothing is limited', () => {
    const runs = [...many(3), ...many(2, { team: '' }), ...many(2, { deploymentId: 'd2' })];
    const { admitted, held } = decideAdmission(runs, new Map(), limited());
    expect(idsOf(admitted).toSorted()).toEqual(idsOf(runs).toSorted());
    expect(held).toEqual([]);
  });

  it.each([
    [0, 3],
    [1, 2],
    [3, 0],
    [9, 0],
  ])('keeps the limit of a deployment: with %d of 3 places taken it admits %d', (taken, admits) => {
    const { admitted, held } = decideAdmission(many(5), new Map([['deployment d1', taken]]), limited({ deployments: { d1: 3 } }));
    expect(admitted).toHaveLength(admits);
    expect(held).toHaveLength(5 - admits);
    expect(reasonsOf(held)).toEqual(['limit.deployment']);
  });

  it('keeps one deployment out of the way of another', () => {
    const { admitted } = decideAdmission([...many(5), ...many(2, { deploymentId: 'd2' })], new Map(), limited({ deployments: { d1: 1 } }));
    expect(admitted.filter(({ deploymentId }) => deploymentId === 'd1')).toHaveLength(1);
    expect(admitted.filter(({ deploymentId }) => deploymentId === 'd2')).toHaveLength(2);
  });

  it('keeps the limit of a team over all deployments', () => {
    const runs = [...many(3), ...many(3, { deploymentId: 'd2' }), ...many(1, { team: 'blue' })];
    const { admitted, held } = decideAdmission(runs, new Map([['team red', 1]]), limited({ teams: { red: 3 } }));
    expect(admitted.filter(({ team }) => team === 'red')).toHaveLength(2);
    expect(admitted.filter(({ team }) => team === 'blue')).toHaveLength(1);
    expect(reasonsOf(held)).toEqual(['limit.team']);
  });

  it('does not take "no team" for a team with a limit', () => {
    const { admitted } = decideAdmission(many(3, { team: '' }), new Map([['team ', 5]]), { ...limited(), team: () => 1 });
    expect(admitted).toHaveLength(3);
  });

  it('keeps the limit of a concurrency key, and passes by the runs that it holds', () => {
    const runs = [...many(3, { concurrencyKey: 'a', concurrencyLimit: 1 }), ...many(1, { concurrencyKey: 'b', concurrencyLimit: 1 })];
    const { admitted, held } = decideAdmission(runs, new Map(), limited());
    expect(admitted.map(({ concurrencyKey }) => concurrencyKey)).toEqual(['a', 'b']);
    expect(reasonsOf(held)).toEqual(['limit.concurrency_key']);
  });

  it('keeps apart the same key of two workflows, and counts those that hold it already', () => {
    const runs = [
      queued({ concurrencyKey: 'a', concurrencyLimit: 1 }),
      queued({ workflowId: 'w2', concurrencyKey: 'a', concurrencyLimit: 1 }),
    ];
    const { admitted } = decideAdmission(runs, new Map([['key w1 a', 1]]), limited());
    expect(idsOf(admitted)).toEqual([runs[1]?.runId]);
  });

  it('does not hold a run with an empty key for runs without one', () => {
    const runs = [queued(), queued({ concurrencyKey: '', concurrencyLimit: 1 })];
    expect(decideAdmission(runs, new Map(), limited()).admitted).toHaveLength(2);
  });

  it('lets a run that began before go on under the key that it holds itself', () => {
    const waiting = queued({ concurrencyKey: 'a', concurrencyLimit: 1, began: true });
    const next = queued({ concurrencyKey: 'a', concurrencyLimit: 1 });
    const { admitted, held } = decideAdmission([waiting, next], new Map([['key w1 a', 1]]), limited());
    expect(idsOf(admitted)).toEqual([waiting.runId]);
    expect(idsOf(held.map(({ run }) => run))).toEqual([next.runId]);
  });

  it('shares free places evenly, whatever one team floods the queue with', () => {
    const runs = [...many(500), ...many(3, { team: 'blue' })];
    const { admitted } = decideAdmission(runs, new Map(), limited({ deployments: { d1: 6 } }));
    expect(admitted.map(({ team }) => team).toSorted()).toEqual(['blue', 'blue', 'blue', 'red', 'red', 'red']);
  });

  it('gives what others leave to the team that can use it', () => {
    const runs = [...many(10), ...many(1, { team: 'blue' })];
    const { admitted } = decideAdmission(runs, new Map(), limited({ deployments: { d1: 6 } }));
    expect(admitted.filter(({ team }) => team === 'red')).toHaveLength(5);
  });

  it('counts what a team has running already', () => {
    const taken = new Map([
      ['deployment d1', 4],
      ['share d1 red', 4],
    ]);
    const { admitted } = decideAdmission([...many(5), ...many(5, { team: 'blue' })], taken, limited({ deployments: { d1: 8 } }));
    expect(admitted.map(({ team }) => team)).toEqual(['blue', 'blue', 'blue', 'blue']);
  });

  it('weighs teams: three times the weight, three times the places', () => {
    const runs = [...many(20), ...many(20, { team: 'blue' })];
    const { admitted } = decideAdmission(runs, new Map(), limited({ deployments: { d1: 8 }, weights: { red: 3, blue: 1 } }));
    expect(admitted.filter(({ team }) => team === 'red')).toHaveLength(6);
  });

  it('takes the highest priority first, then the oldest', () => {
    const [old, young, urgent] = [queued(), queued(), queued({ priority: 5 })];
    const { admitted } = decideAdmission([young, old, urgent], new Map(), limited());
    expect(idsOf(admitted)).toEqual(idsOf([urgent, old, young]));
  });

  it('lets a low priority overtake in the end: a minute in the queue weighs one step', () => {
    const [low, high] = [queued({ queuedSeconds: 301 }), queued({ priority: 5, queuedSeconds: 0 })];
    expect(idsOf(decideAdmission([high, low], new Map(), limited()).admitted)).toEqual(idsOf([low, high]));
    const early = queued({ queuedSeconds: 299 });
    expect(idsOf(decideAdmission([early, high], new Map(), limited()).admitted)).toEqual(idsOf([high, early]));
  });

  it('decides about 20,000 queued runs of 40 teams in no more than linear time', () => {
    const runs = Array.from({ length: 40 }, (_, at) => many(500, { team: `team-${at}` })).flat();
    const began = performance.now();
    // Seen: 0.1 s. Quadratic time would be minutes.
    expect(decideAdmission(runs, new Map(), limited({ deployments: { d1: 100 } })).admitted).toHaveLength(100);
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  it('never admits beyond a limit, and holds nobody without a reason', () => {
    const run = fc.record({
      deploymentId: fc.constantFrom('d1', 'd2'),
      team: fc.constantFrom('', 'red', 'blue'),
      priority: fc.integer({ min: -3, max: 3 }),
      began: fc.boolean(),
      queuedSeconds: fc.nat(600),
      concurrencyKey: fc.constantFrom(null, 'a', 'b'),
    });
    const places = fc.record({ d1: fc.nat(4), red: fc.nat(4), a: fc.nat(2) });
    fc.assert(
      fc.property(fc.array(run, { maxLength: 30 }), places, (shapes, { d1, red, a }) => {
        const runs = shapes.map((shape) => queued({ ...shape, concurrencyLimit: shape.concurrencyKey === null ? null : 2 }));
        const taken = new Map([
          ['deployment d1', d1],
          ['team red', red],
          ['key w1 a', a],
        ]);
        const { admitted, held } = decideAdmission(runs, taken, limited({ deployments: { d1: 4 }, teams: { red: 5 } }));
        const count = (fits: (run: QueuedRun) => boolean) => admitted.filter(fits).length;
        expect(admitted.length + held.length).toBe(runs.length);
        expect(d1 + count(({ deploymentId }) => deploymentId === 'd1')).toBeLessThanOrEqual(4);
        expect(red + count(({ team }) => team === 'red')).toBeLessThanOrEqual(5);
        expect(a + count(({ concurrencyKey, began }) => concurrencyKey === 'a' && !began)).toBeLessThanOrEqual(Math.max(a, 2));
        const full = {
          'limit.deployment': d1 + count(({ deploymentId }) => deploymentId === 'd1') >= 4,
          'limit.team': red + count(({ team }) => team === 'red') >= 5,
        };
        for (const { reason } of held) if (reason in full) expect(full[reason as keyof typeof full]).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
