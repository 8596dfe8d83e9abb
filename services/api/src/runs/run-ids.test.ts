import { describe, expect, it } from '@jest/globals';
import { momentOf } from '#core';
import { RunIds } from './run-ids.ts';

const timeOf = (id = '') => momentOf(id);
const DATABASE_MS = 1_800_000_000_000;
const uuidAt = (ms: number) =>
  `${ms
    .toString(16)
    .padStart(12, '0')
    .replace(/^(.{8})/, '$1-')}-7abc-8def-0123456789ab`;

/** A database whose clock is far from this machine's, and what it was asked for. */
function given({ answersWithin = 0 } = {}) {
  const time = { database: DATABASE_MS, steady: 5_000, wall: 1_000_000_000_000 };
  const asked: unknown[] = [];
  const pass = (ms: number, of: readonly (keyof typeof time)[] = ['database', 'steady', 'wall']) => {
    for (const clock of of) time[clock] += ms;
  };
  const connection = {
    query: <Row>(_statement: unknown, [count]: readonly unknown[]): Promise<Row[]> => {
      asked.push(count);
      pass(answersWithin);
      return Promise.resolve(JSON.parse(JSON.stringify(Array.from({ length: Number(count) }, () => ({ id: uuidAt(time.database) })))));
    },
  };
  const ids = new RunIds({ steady: () => time.steady, wall: () => time.wall });
  return { time, asked, pass, take: (count: number) => ids.take(connection, count) };
}

describe('ids of runs', () => {
  it('have the time of the database, whatever this machine says, and cost it one question a minute', async () => {
    const { time, asked, pass, take } = given();
    expect(timeOf((await take(2))[1])).toBe(DATABASE_MS);
    for (let second = 0; second < 60; second += 1) {
      pass(1_000);
      expect((await take(1)).map(timeOf)).toEqual([time.database]);
    }
    expect(asked).toEqual([2]);
    pass(1);
    expect((await take(3)).map(timeOf)).toEqual([time.database, time.database, time.database]);
    expect(asked).toEqual([2, 3]);
  });

  it.each(['steady', 'wall'] as const)('are asked for anew when the %s clock stood still: the machine was asleep', async (stood) => {
    const { time, pass, take } = given();
    await take(1);
    const others = (['database', 'steady', 'wall'] as const).filter((clock) => clock !== stood);
    pass(20_000, others);
    expect((await take(1)).map(timeOf)).toEqual([time.database]);
  });

  it('are never from before the run was asked for, and at most as far ahead as the answer took', async () => {
    const { time, asked, take } = given({ answersWithin: 25 });
    await take(1);
    const [id] = await take(1);
    expect(timeOf(id)).toBe(time.database + 25);
    expect(asked).toHaveLength(1);
  });

  it('are asked for each time while answers take too long to tell the time by', async () => {
    const { time, asked, take } = given({ answersWithin: 26 });
    for (let n = 0; n < 3; n += 1) expect((await take(1)).map(timeOf)).toEqual([time.database]);
    expect(asked).toHaveLength(3);
  });

  it('are UUIDs of version 7, no two alike', async () => {
    const { take } = given();
    await take(1);
    const ids = await take(1_000);
    expect(new Set(ids).size).toBe(1_000);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});
