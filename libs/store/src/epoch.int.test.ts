import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { type TestDatabase, databaseServers } from '#testing';
import { connected } from './checker/given.ts';

/** A promoted standby itself stands in the chaos runs; here its traces do. */
describe.each(databaseServers())('the epoch on $name', ({ cloneDatabase }) => {
  let database: TestDatabase;
  let owner: pg.Client;
  let scheduler: pg.Client;

  beforeAll(async () => {
    database = await cloneDatabase();
    owner = await connected(database.ownerUrl);
    scheduler = await connected(database.schedulerUrl);
  });
  afterAll(async () => {
    await owner.end();
    await scheduler.end();
    await database.drop();
  });

  const epoch = async () => (await scheduler.query<{ epoch: number }>('select flowforge_epoch() as epoch')).rows[0]?.epoch ?? 0;

  it('stays the same on the same database, however often it is asked for', async () => {
    const first = await epoch();
    expect(first).toBeGreaterThan(0);
    expect(await epoch()).toBe(first);
  });

  it.each([
    ['timeline', 'int', 'another timeline'],
    ['system_identifier', 'bigint', 'another server or database'],
    ['database_oid', 'oid', 'another server or database'],
  ])('is raised once, by whoever asks first, when the %s is another', async (column, type, reason) => {
    const before = await epoch();
    await owner.query(`update epochs set ${column} = (${column}::text::bigint + 1)::text::${type} where epoch = $1`, [before]);
    const asked = await Promise.all([epoch(), epoch()]);
    expect(asked).toEqual([before + 1, before + 1]);
    expect((await owner.query('select reason from epochs order by epoch desc limit 1')).rows).toEqual([{ reason }]);
    expect(await epoch()).toBe(before + 1);
  });

  it('is compared with that of a decision: another one is refused, also when it was raised under the session that asks', async () => {
    const same = (decided: number) => scheduler.query('select flowforge_same_epoch($1)', [decided]);
    const decided = await epoch();
    await same(decided);
    await expect(same(decided + 1)).rejects.toMatchObject({ code: 'FF007' });
    await owner.query(`select flowforge_raise_epoch('restored')`);
    await expect(same(decided)).rejects.toMatchObject({ code: 'FF007' });
    await same(decided + 1);
  });

  it('is raised by the first comparison of a session that finds another server', async () => {
    const decided = await epoch();
    await owner.query('update epochs set timeline = timeline + 1 where epoch = $1', [decided]);
    const fresh = await connected(database.schedulerUrl);
    await expect(fresh.query('select flowforge_same_epoch($1)', [decided])).rejects.toMatchObject({ code: 'FF007' });
    expect(await epoch()).toBe(decided + 1);
    await fresh.end();
  });
});
