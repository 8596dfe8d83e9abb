import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HotConnection } from '#store';
import { type TestDatabase, databaseServers } from '#testing';
import { GivenRows } from '../../../../libs/testing/src/given/given-rows.ts';
import { aPlan } from '../../../../libs/testing/src/given/plan.ts';
import { PlanCache } from './plan-cache.ts';

describe.each(databaseServers())('the plans in memory, on $name', ({ cloneDatabase }) => {
  let database: TestDatabase;
  let given: GivenRows;
  let connection: HotConnection;
  let asked = 0;

  beforeAll(async () => {
    database = await cloneDatabase();
    given = await GivenRows.open(database);
    connection = new HotConnection(database.schedulerUrl, 'plans');
    const query = connection.query.bind(connection);
    connection.query = (...args) => {
      asked += 1;
      return query(...args) as never;
    };
  });
  afterAll(async () => {
    await connection.close();
    await given.close();
    await database.drop();
  });

  it('are read once, and are what was published', async () => {
    const plan = aPlan({ a: { input: { rows: [1, 'two', null] } }, b: { needs: ['a'], retry: { attempts: 3 } } });
    const id = await given.run({ plan });
    const [row] = await given.rows<{ workflow_id: string }>('select workflow_id from workflow_runs where id = $1', [id]);
    const cache = new PlanCache(connection);
    asked = 0;
    for (let time = 0; time < 3; time += 1) expect(await cache.get(row?.workflow_id ?? '', 1)).toEqual({ plan, workflow: 'given-1' });
    expect(asked).toBe(1);
  });

  it('do not hold a version that does not exist', async () => {
    const cache = new PlanCache(connection);
    const asking = cache.get('00000000-0000-4000-8000-000000000000', 7);
    await expect(asking).rejects.toMatchObject({ code: 'workflow.version_unknown', kind: 'bug' });
  });
});
