import { describe, expect, it } from '@jest/globals';
import type { RunEvent } from '#core';
import { createMetrics } from '#telemetry';
import { AdvanceMetrics } from './advance-metrics.ts';
import { AdvanceService } from './advance.service.ts';

type Parts = ConstructorParameters<typeof AdvanceService>;
const event: RunEvent = { kind: 'cancel', causeId: 'cause', actor: 'test' };
const events = new Map([['run-1', [event]]]);
const silent = new AdvanceMetrics(createMetrics('test'));
const sender = { send: () => Promise.resolve() } as unknown as Parts[2];

/** A service whose runs are decided about as told; `writes` says whether a decision comes through. */
function advancing(outcome: 'decided' | 'changed' | 'broken' | 'ended', writes: () => boolean) {
  let rounds = 0;
  const decision = { runId: 'run-1', runMove: null, stepMoves: [{}], dispatches: [], timersSet: [], verdicts: ['applied'] };
  const decide = () => {
    rounds += 1;
    return Promise.resolve({
      made: outcome === 'decided' ? [{ run: { head: { state: 'RUNNING' } }, decision }] : [],
      changed: new Set(outcome === 'changed' ? ['run-1'] : []),
      broken: new Map(outcome === 'broken' ? [['run-1', 'makes no sense']] : []),
    });
  };
  const write = () => Promise.resolve(new Set(writes() ? ['run-1'] : []));
  const service = new AdvanceService({ decide } as unknown as Parts[0], { write } as unknown as Parts[1], sender, silent);
  return { service, rounds: () => rounds };
}

describe('AdvanceService', () => {
  it('decides again until its decision is written', async () => {
    let tries = 0;
    const { service, rounds } = advancing('decided', () => (tries += 1) === 3);
    const { verdicts } = await service.advance(events);
    expect(verdicts.get(event)).toBe('applied');
    expect(rounds()).toBe(3);
  });

  it.each(['decided', 'changed'] as const)(
    'gives up after twenty rounds about a run that is always %s, as an outage: nothing is lost',
    async (outcome) => {
      const { service, rounds } = advancing(outcome, () => false);
      await expect(service.advance(events)).rejects.toMatchObject({ code: 'advance.contended', kind: 'outage' });
      expect(rounds()).toBe(20);
    },
  );

  it('does not repeat an admission that found no place', async () => {
    const { service, rounds } = advancing('decided', () => false);
    const { verdicts } = await service.advance(events, () => Promise.resolve(new Set()));
    expect([verdicts.size, rounds()]).toEqual([0, 1]);
  });

  it('refuses a run that no decision can be made about, and settles what has ended', async () => {
    const broken = await advancing('broken', () => false).service.advance(events);
    expect([broken.verdicts.size, [...broken.refused]]).toEqual([0, [['run-1', 'makes no sense']]]);
    const ended = await advancing('ended', () => false).service.advance(events);
    expect([[...ended.verdicts.values()], ended.refused.size]).toEqual([['settled'], 0]);
  });

  it('halves a batch that the database refuses until the guilty run stands alone, and repeats nothing on an outage', async () => {
    const ids = Array.from({ length: 16 }, (_, at) => `run-${at}`);
    const many = new Map(ids.map((id) => [id, [{ ...event, causeId: id }]]));
    const made = ids.map((runId) => ({
      run: { head: { state: 'RUNNING' } },
      decision: { runId, runMove: null, stepMoves: [{}], dispatches: [], timersSet: [], verdicts: ['applied'] },
    }));
    const decide = () => Promise.resolve({ made, changed: new Set(), broken: new Map() });
    const sizes: number[] = [];
    let error: Error = Object.assign(new Error('no legal move'), { code: 'FF001' });
    const write = (batch: typeof made) => {
      sizes.push(batch.length);
      return batch.some(({ decision }) => decision.runId === 'run-5')
        ? Promise.reject(error)
        : Promise.resolve(new Set(batch.map(({ decision }) => decision.runId)));
    };
    const service = new AdvanceService({ decide } as unknown as Parts[0], { write } as unknown as Parts[1], sender, silent);
    const { verdicts, refused } = await service.advance(many);
    expect([verdicts.size, [...refused]]).toEqual([15, [['run-5', 'no legal move']]]);
    expect(sizes.length).toBeLessThanOrEqual(1 + 2 * Math.log2(16));
    sizes.length = 0;
    error = Object.assign(new Error('gone'), { code: '57P01' });
    await expect(service.advance(many)).rejects.toThrow('gone');
    expect(sizes).toEqual([16]);
  });

  it('writes many wide runs in several transactions, none of which comes near the timeout of a statement', async () => {
    const widths = [8_000, 8_000, 8_000, 30_000, 1, 2];
    const made = widths.map((width, at) => ({
      run: { head: { state: 'CREATED' } },
      decision: {
        runId: `run-${at}`,
        runMove: null,
        stepMoves: Array.from({ length: width }, () => ({})),
        dispatches: [],
        timersSet: [],
        verdicts: ['applied'],
      },
    }));
    const transactions: number[][] = [];
    const write = (batch: typeof made) => {
      transactions.push(batch.map(({ decision }) => decision.stepMoves.length));
      return Promise.resolve(new Set(batch.map(({ decision }) => decision.runId)));
    };
    const decide = () => Promise.resolve({ made, changed: new Set(), broken: new Map() });
    const service = new AdvanceService({ decide } as unknown as Parts[0], { write } as unknown as Parts[1], sender, silent);
    const { verdicts } = await service.advance(new Map(made.map(({ decision }) => [decision.runId, [{ ...event }]])));
    expect(verdicts.size).toBe(6);
    expect(transactions).toEqual([[8_000, 8_000], [8_000], [30_000], [1, 2]]);
  });
});
