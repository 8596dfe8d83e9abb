import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type TestDatabase, cloneDatabase } from '#testing';
import type { FaultRecord } from '../journal.ts';
import type { SeenOutside } from './evidence.ts';
import { checkWorkload } from './own-checks.ts';
import { Planted } from './planted.ts';
import { measureRecovery } from './recovery.ts';
import { readSeries } from './series.ts';

const nothingSeen: SeenOutside = { history: [], accepted: [], ledger: [] };

describe('the judge of the chaos runs', () => {
  let database: TestDatabase;
  let planted: Planted;

  beforeAll(async () => {
    database = await cloneDatabase();
    planted = await Planted.open(database.superuserUrl);
  }, 60_000);
  afterAll(async () => {
    await planted?.close();
    await database?.drop();
  });

  it('finds a run that no key names, a wrong end, an effect that never came, and two retries at once', async () => {
    const short = await planted.workflow('chaos-short');
    const chain = await planted.workflow('chaos-chain');
    const failing = await planted.workflow('chaos-failing');
    const keyless = await planted.run(short, { state: 'SUCCEEDED', key: false });
    const failed = await planted.run(short, { state: 'FAILED' });
    const tooGood = await planted.run(failing, { state: 'SUCCEEDED' });
    const without = await planted.run(chain, { state: 'SUCCEEDED' });
    const sound = await planted.run(chain, { state: 'SUCCEEDED' });
    for (const id of [without, sound]) await planted.step(id, 10, 's10', 'SUCCEEDED');
    const one = await planted.run(short, { state: 'SUCCEEDED', key: false, retryOf: failed });
    const other = await planted.run(short, { state: 'SUCCEEDED', key: false, retryOf: failed });
    const life = (begun: number, ended: number) => [
      { step: 0, version: 1, from: null, to: 'CREATED', at: begun },
      { step: 0, version: 2, from: 'RUNNING', to: 'SUCCEEDED', at: ended },
    ];
    const [begun, ended] = life(Date.now(), Date.now());
    if (!begun || !ended) throw new Error('A life has two ends.');
    await planted.audit(one, [begun]);
    await planted.audit(other, [begun]);
    await planted.audit(one, [ended]);

    const seen = { ...nothingSeen, ledger: [{ idempotencyKey: `${sound}/s10`, count: 1 }] };
    const found = await checkWorkload(planted.client, seen, new Set());

    expect(found.doubled.map(({ code, subject }) => [code, subject])).toEqual([
      ['chaos.run.without_key', keyless],
      ['chaos.retry.doubled', other],
    ]);
    expect(found.illegal.map(({ subject }) => subject).toSorted()).toEqual([failed, tooGood].toSorted());
    expect(found.lost.map(({ subject }) => subject)).toEqual([`${without}/s10`]);

    const voided = new Set([keyless, other, failed, tooGood, without]);
    expect(await checkWorkload(planted.client, seen, voided)).toEqual({ doubled: [], illegal: [], lost: [] });
  });

  it('measures from the loss of a worker to each step that was sent again, and not what ended by itself', async () => {
    const at = Date.now();
    const workflow = await planted.workflow('measured');
    const run = await planted.run(workflow, { state: 'RUNNING' });
    await planted.audit(run, [
      { step: 1, version: 1, from: 'PENDING', to: 'DISPATCHED', dispatch: 1, at: at - 500 },
      // A start that was on its way when the worker died.
      { step: 1, version: 2, from: 'DISPATCHED', to: 'RUNNING', dispatch: 1, at: at + 100 },
      { step: 1, version: 3, from: 'RUNNING', to: 'DISPATCHED', dispatch: 2, at: at + 1_700 },
      { step: 2, version: 1, from: 'PENDING', to: 'DISPATCHED', dispatch: 1, at: at - 500 },
      { step: 2, version: 2, from: 'RUNNING', to: 'SUCCEEDED', dispatch: 1, at: at + 50 },
    ]);
    const held = [
      [run, 1, 1],
      [run, 2, 1],
    ] as const;

    const { lossToSentAgain } = await measureRecovery(planted.client, [], [{ at, member: 'worker 0', how: 'ended', held }]);

    expect(lossToSentAgain).toMatchObject({ count: 1, max: 1_700 });
  });

  it('measures how long what was on its way stood still after Redis was emptied', async () => {
    const at = Date.now() + 600_000;
    const workflow = await planted.workflow('emptied');
    const run = await planted.run(workflow, { state: 'RUNNING' });
    await planted.audit(run, [
      { step: 1, version: 1, from: 'PENDING', to: 'DISPATCHED', dispatch: 1, at: at - 100 },
      { step: 1, version: 2, from: 'DISPATCHED', to: 'DISPATCHED', dispatch: 2, at: at + 900 },
      { step: 2, version: 1, from: 'PENDING', to: 'DISPATCHED', dispatch: 1, at: at + 5 },
    ]);
    const fault: FaultRecord = {
      ...{ turn: 1, id: 'F09', name: 'redis-flushall', targets: 'redis', seed: 1, at, inflictedAt: at, healAt: at, healedAt: at, what: '' },
      ...{ measures: {}, outcome: 'healed', why: null, redAfterMs: null, greenAfterMs: 0 },
    };

    expect((await measureRecovery(planted.client, [fault], [])).redisRebuilt).toMatchObject({ count: 1, max: 900 });
  });

  it('counts what ended and what was open in each second', async () => {
    const from = Date.now() + 1_200_000;
    const workflow = await planted.workflow('counted');
    const run = await planted.run(workflow, { state: 'SUCCEEDED' });
    await planted.audit(run, [
      { step: 0, version: 1, from: null, to: 'CREATED', at: from + 100 },
      { step: 0, version: 2, from: 'RUNNING', to: 'SUCCEEDED', at: from + 2_100 },
    ]);
    const series = await readSeries(planted.client, from, from + 3_000);
    expect(series.map(({ at, ended }) => [at, ended])).toEqual([
      [0, 0],
      [1, 0],
      [2, 1],
      [3, 0],
    ]);
    expect((series[1]?.open ?? 0) - (series[2]?.open ?? 0)).toBe(1);
  });
});
