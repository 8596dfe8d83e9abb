import { randomBytes } from 'node:crypto';
import type { EmbeddedPostgres } from '#embedded';
import { createOwnedDatabase, endAllLeases, migrate } from '#store';

const DATABASE = 'flowforge';

/** One login per service, as in every profile. Passwords are drawn anew at each start and kept in memory. */
export interface LocalDatabase {
  readonly ownerUrl: string;
  readonly apiUrl: string;
  readonly schedulerUrl: string;
}

/** Makes the database on the embedded server, or brings its schema up to date. */
export async function prepareDatabase(server: EmbeddedPostgres, log: (line: string) => void): Promise<LocalDatabase> {
  const passwords = { owner: password(), api: password(), scheduler: password() };
  await createOwnedDatabase(server.superuserUrl(), DATABASE, passwords.owner);
  const urlAs = (role: string, secret: string) => `postgresql://${role}:${secret}@127.0.0.1:${server.port}/${DATABASE}`;
  const ownerUrl = urlAs('flowforge_owner', passwords.owner);
  await migrate({ url: ownerUrl, passwords, log });
  await endAllLeases(ownerUrl);
  return { ownerUrl, apiUrl: urlAs('flowforge_api', passwords.api), schedulerUrl: urlAs('flowforge_scheduler', passwords.scheduler) };
}

function password(): string {
  return randomBytes(24).toString('base64url');
}
