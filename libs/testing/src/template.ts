import pg from 'pg';
import { createOwnedDatabase, migrate } from '#store';

/** Makes the database that clones are copied from: owned by flowforge_owner, with the roles and the newest schema. */
export async function makeTestTemplate(superuserUrl: string, name: string, rolePassword: string): Promise<void> {
  const client = new pg.Client({ connectionString: superuserUrl });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await createOwnedDatabase(client, name, rolePassword);
    // On PostgreSQL 15 an owner that does not inherit may not create in schema public, which belongs to pg_database_owner.
    await client.query('alter role flowforge_owner inherit');
  } finally {
    await client.end();
  }
  const url = new URL(superuserUrl);
  Object.assign(url, { username: 'flowforge_owner', password: rolePassword, pathname: `/${name}` });
  await migrate({ url: url.href, passwords: { api: rolePassword, scheduler: rolePassword } });
}
