import { createOwnedDatabase, migrate } from '#store';

/** Makes the database that clones are copied from: owned by flowforge_owner, with the roles and the newest schema. */
export async function makeTestTemplate(superuserUrl: string, name: string, rolePassword: string): Promise<void> {
  await createOwnedDatabase(superuserUrl, name, rolePassword);
  const url = new URL(superuserUrl);
  Object.assign(url, { username: 'flowforge_owner', password: rolePassword, pathname: `/${name}` });
  await migrate({ url: url.href, passwords: { api: rolePassword, scheduler: rolePassword } });
}
