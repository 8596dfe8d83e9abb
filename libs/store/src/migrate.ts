import pg from 'pg';
import { DataSource } from 'typeorm';
import { MIGRATIONS, achievementsOf } from './migrations/sql-migration.ts';
import { ensureServiceRoles, type ServicePasswords } from './roles.ts';

/** Two numbers that name the migration lock; whoever migrates holds it. */
const MIGRATION_LOCK = [4600, 0] as const;

export interface MigrationOptions {
  /** Connection of the database's owner. */
  readonly url: string;
  /** Passwords to give to the services' roles; null leaves them as an administrator made them. */
  readonly passwords: ServicePasswords | null;
  readonly log?: (line: string) => void;
}

/**
 * Brings the database to the newest schema: roles, then every migration that is missing, each in a transaction of its own. Any number of
 * processes may call it at once; one works, the others wait and find nothing to do. Returns the names of the migrations it applied.
 */
export async function migrate({ url, passwords, log = () => {} }: MigrationOptions): Promise<string[]> {
  return withMigrationLock(url, async (client) => {
    await ensureServiceRoles(client, passwords);
    return withDataSource(url, async (source) => {
      const applied = (await source.runMigrations({ transaction: 'each' })).map((migration) => migration.name);
      for (const line of achievementsOf(applied)) log(`✓ Migration: ${line}`);
      return applied;
    });
  });
}

/** Takes the newest migration back. Returns its name, or null when none is applied. Meant for tests and for a rehearsed rollback. */
export async function revertLast(url: string): Promise<string | null> {
  return withMigrationLock(url, () =>
    withDataSource(url, async (source) => {
      const before = await appliedNames(source);
      if (before.length > 0) await source.undoLastMigration({ transaction: 'each' });
      return before.at(-1) ?? null;
    }),
  );
}

/** Every migration with whether it is applied, in order: `migration:show`. */
export async function migrationStatus(url: string): Promise<{ number: number; name: string; applied: boolean }[]> {
  return withDataSource(url, async (source) => {
    const applied = new Set(await appliedNames(source));
    return MIGRATIONS.map((Migration, index) => {
      const { name } = new Migration();
      return { number: index + 1, name, applied: applied.has(name) };
    });
  });
}

async function appliedNames(source: DataSource): Promise<string[]> {
  const [table] = await source.query<{ there: boolean }[]>(`select to_regclass('migrations') is not null as there`);
  if (!table?.there) return [];
  const rows = await source.query<{ name: string }[]>('select name from migrations order by id');
  return rows.map((row) => row.name);
}

async function withMigrationLock<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, application_name: 'flowforge-migrate' });
  // A stopping server ends the session: the query under way reports it, the event itself must not end the process.
  client.on('error', () => {});
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1, $2)', [...MIGRATION_LOCK]);
    return await work(client);
  } finally {
    await client.end();
  }
}

async function withDataSource<T>(url: string, work: (source: DataSource) => Promise<T>): Promise<T> {
  const source = new DataSource({
    type: 'postgres',
    url,
    migrations: MIGRATIONS,
    migrationsTableName: 'migrations',
    applicationName: 'flowforge-migrate',
  });
  await source.initialize();
  try {
    return await work(source);
  } finally {
    await source.destroy();
  }
}
