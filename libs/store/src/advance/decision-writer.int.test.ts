import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunDecision, RunMove, StepMove } from '#core';
import { type TestDatabase, databaseServers } from '#testing';
import { GivenRows } from '../../../testing/src/given/given-rows.ts';
import { HotConnection } from '../hot-connection.ts';
import { DecisionWriter, type WritableDecision } from './decision-writer.ts';

const EPOCH = 1;

describe.each(databaseServers())('the writing of decisions on $name', ({ cloneDatabase }) => {
  let database: TestDatabase;
  let given: GivenRows;
  let connection: HotConnection;

  beforeAll(async () => {
    database = await cloneDatabase();
    given = await GivenRows.open(database);
    connection = new HotConnection(database.schedulerUrl, 'decisions');
  });
  afterAll(async () => {
    await connection.close();
    await given.close();
    await database.drop();
  });

  const holding = (runId: string, rev: number, version: number): WritableDecision => ({
    decision: { ...nothing(runId, rev), runMove: held(version) },
    retryOf: null,
    stepOf: () => ({ name: 'only', timeoutSeconds: 300 }),
  });
  const rowsOf = (runId: string) =>
    given.rows('select state::text, version, rev from workflow_runs join live_runs on run_id = id where id = $1', [runId]);

  it('writes those whose rev stands, and names them', async () => {
    const [moved, other] = [await given.run({}), await given.run({})];
    const written = await new DecisionWriter(connection, EPOCH).write([holding(moved, 1, 2), holding(other, 7, 2)]);
    expect([...written]).toEqual([moved]);
    expect(await rowsOf(moved)).toEqual([{ state: 'QUEUED', version: 2, rev: 2 }]);
    expect(await rowsOf(other)).toEqual([{ state: 'CREATED', version: 1, rev: 1 }]);
  });

  it('commits nothing of a decision whose rev stands and whose run is not as it was seen', async () => {
    const [whole, odd] = [await given.run({}), await given.run({})];
    const writing = new DecisionWriter(connection, EPOCH).write([holding(whole, 1, 2), holding(odd, 1, 9)]);
    await expect(writing).rejects.toMatchObject({ code: 'FF008' });
    for (const id of [whole, odd]) expect(await rowsOf(id)).toEqual([{ state: 'CREATED', version: 1, rev: 1 }]);
  });

  it('sends nothing of a batch that cannot be put together', async () => {
    const [one, odd] = [await given.run({}), await given.run({})];
    const unknownStep: WritableDecision = {
      ...holding(odd, 1, 2),
      decision: { ...holding(odd, 1, 2).decision, stepMoves: [begin()] },
      stepOf: () => {
        throw new Error('no such step');
      },
    };
    await expect(new DecisionWriter(connection, EPOCH).write([holding(one, 1, 2), unknownStep])).rejects.toThrow('no such step');
    for (const id of [one, odd]) expect(await rowsOf(id)).toEqual([{ state: 'CREATED', version: 1, rev: 1 }]);
  });

  it('writes nothing into a database of another epoch', async () => {
    const id = await given.run({});
    const writing = new DecisionWriter(connection, EPOCH + 1).write([holding(id, 1, 2)]);
    await expect(writing).rejects.toMatchObject({ code: 'epoch.changed', kind: 'outage' });
    expect(await rowsOf(id)).toEqual([{ state: 'CREATED', version: 1, rev: 1 }]);
  });
});

function held(version: number): RunMove {
  return { leaves: 'CREATED', via: null, enters: 'QUEUED', version, causeId: randomUUID(), actor: 'test', reason: 'full' };
}

function nothing(runId: string, rev: number): RunDecision {
  return {
    ...{ kind: 'decided', runId, rev, runMove: null, stepMoves: [], results: [], waitsBegun: [], waitsLowered: [] },
    ...{ timersSet: [], timersCleared: [], reused: [], dispatches: [], dropped: [], verdicts: [] },
    live: { phase: 'queued', remaining: 1, active: 0, waiting: 0, failed: false },
  };
}

function begin(): StepMove {
  return {
    ...{ no: 1, leaves: 'PENDING', via: null, enters: 'DISPATCHED', version: 1, epoch: EPOCH, dispatchNo: 1, attempt: 1 },
    ...{ workerLosses: 0, causeId: randomUUID(), actor: 'test', reason: null, startedMsAgo: null },
  };
}
