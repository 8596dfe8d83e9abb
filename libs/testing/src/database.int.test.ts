import { afterAll, describe, expect, it } from '@jest/globals';
import { type TestDatabase, databaseServers } from './database.ts';
import { withClient } from './test-servers.ts';

describe.each(databaseServers())('databases for tests on $name', ({ name, cloneDatabase }) => {
  const made: TestDatabase[] = [];
  const clone = async () => {
    const database = await cloneDatabase();
    made.push(database);
    return database;
  };

  afterAll(async () => {
    for (const database of made) await database.drop();
  });

  it('runs the version that its name says', async () => {
    const { superuserUrl } = await clone();
    const { rows } = await withClient(superuserUrl, (client) =>
      client.query(`select current_setting('server_version_num')::int / 10000 as major`),
    );
    expect(rows).toEqual([{ major: Number(name.split(' ')[1]) }]);
  });

  it('gives each caller a migrated database of its own, and each service its own role', async () => {
    const [one, other] = [await clone(), await clone()];
    await withClient(one.ownerUrl, (client) => client.query('create table mine (n int)'));
    await expect(withClient(other.ownerUrl, (client) => client.query('select from mine'))).rejects.toMatchObject({ code: '42P01' });
    for (const [url, role] of [
      [one.apiUrl, 'flowforge_api'],
      [one.schedulerUrl, 'flowforge_scheduler'],
    ] as const) {
      const { rows } = await withClient(url, (client) =>
        client.query(`select session_user as role, to_regclass('workflow_runs') is not null as migrated`),
      );
      expect(rows).toEqual([{ role, migrated: true }]);
    }
  });

  it('drops a database that still has sessions', async () => {
    const database = await cloneDatabase();
    await withClient(database.ownerUrl, () => database.drop());
    await expect(withClient(database.ownerUrl, (client) => client.query('select 1'))).rejects.toMatchObject({ code: '3D000' });
  });
});
