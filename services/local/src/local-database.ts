import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '#embedded';
import { createOwnedDatabase, endAllLeases, migrate } from '#store';

const DATABASE = 'flowforge';

/** The embedded server with one login per service, as in every profile. Passwords are drawn anew at each start and kept in memory. */
export interface LocalDatabase {
  readonly server: EmbeddedPostgres;
  readonly ownerUrl: string;
  readonly apiUrl: string;
  readonly schedulerUrl: string;
}

/** Starts PostgreSQL on the folder and brings its schema up to date. Throws `data.locked` when another process has the folder. */
export async function startLocalDatabase(dataDir: string, log: (line: string) => void): Promise<LocalDatabase> {
  const server = await startEmbeddedPostgres({ dataDir: join(dataDir, 'postgres'), settings: { max_connections: 100 } });
  try {
    const passwords = { owner: password(), api: password(), scheduler: password() };
    await createOwnedDatabase(server.superuserUrl(), DATABASE, passwords.owner);
    const urlAs = (role: string, secret: string) => `postgresql://${role}:${secret}@127.0.0.1:${server.port}/${DATABASE}`;
    const ownerUrl = urlAs('flowforge_owner', passwords.owner);
    await migrate({ url: ownerUrl, passwords, log });
    await endAllLeases(ownerUrl);
    return {
      server,
      ownerUrl,
      apiUrl: urlAs('flowforge_api', passwords.api),
      schedulerUrl: urlAs('flowforge_scheduler', passwords.scheduler),
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

function password(): string {
  return randomBytes(24).toString('base64url');
}
