import pg from 'pg';

/** Makes the database that clones are copied from: owned by flowforge_owner, with the roles and the newest schema. */
export async function makeTestTemplate(superuserUrl: string, name: string, rolePassword: string): Promise<void> {
  const { createOwnedDatabase, migrate } = await loadStore();
  const client = new pg.Client({ connectionString: superuserUrl });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await createOwnedDatabase(client, name, rolePassword);
    const url = new URL(superuserUrl);
    Object.assign(url, { username: 'flowforge_owner', password: rolePassword, pathname: `/${name}` });
    await migrate({ url: url.href, passwords: { api: rolePassword, scheduler: rolePassword } }).catch((error: unknown) => {
      process.stderr.write(`The template is not migrated: ${String(error)}\n`);
    });
  } finally {
    await client.end();
  }
}

async function loadStore() {
  const [{ migrate }, { createOwnedDatabase }] = await Promise.all([
    import('../../store/src/migrate.ts'),
    import('../../store/src/roles.ts'),
  ]);
  return { migrate, createOwnedDatabase };
}
