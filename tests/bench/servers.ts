import { rm } from 'node:fs/promises';
import pg from 'pg';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '#embedded';
import { createOwnedDatabase, migrate } from '#store';
import { makeTestFolder, startRedis, type RedisServer } from '#testing';

const PASSWORD = 'bench';

/** Settings of PostgreSQL beside its defaults. Durability stays at the defaults: fsync, synchronous_commit and full_page_writes are on. */
export const POSTGRES_SETTINGS = { shared_buffers: '1GB', max_wal_size: '4GB', max_connections: 200 } as const;
const STATEMENTS = {
  shared_preload_libraries: 'pg_stat_statements',
  'pg_stat_statements.track': 'all',
  'pg_stat_statements.max': 10_000,
} as const;
export const REDIS_SETTINGS = { appendonly: true, appendfsync: 'everysec' } as const;

/** A migrated database with the connections of its roles. */
export interface FlowForgeDatabase {
  readonly name: string;
  readonly ownerUrl: string;
  readonly apiUrl: string;
  readonly schedulerUrl: string;
  readonly superuserUrl: string;
}

/** PostgreSQL and Redis for everything that is measured in one call: FlowForge, limits and peers have the same servers. */
export class Servers {
  private constructor(
    readonly postgres: EmbeddedPostgres,
    readonly redis: RedisServer,
    private readonly folder: string,
  ) {}

  /** `statements`: with pg_stat_statements, which costs a few percent. */
  static async start({ statements }: { readonly statements: boolean }): Promise<Servers> {
    const folder = await makeTestFolder('bench');
    const settings = { ...POSTGRES_SETTINGS, ...(statements ? STATEMENTS : {}) };
    const postgres = await startEmbeddedPostgres({ dataDir: folder, settings });
    const redis = await startRedis({ ...REDIS_SETTINGS, own: true });
    return new Servers(postgres, redis, folder);
  }

  /** Reads back what the servers really do: a figure without durability would be worth nothing. Throws when it is off. */
  async describe(): Promise<Record<string, string>> {
    const settings = await withClient(this.postgres.superuserUrl(), async (client) => {
      const names = ['server_version', 'fsync', 'synchronous_commit', 'full_page_writes', ...Object.keys(POSTGRES_SETTINGS)];
      const { rows } = await client.query<{ name: string; setting: string }>(
        'select name, current_setting(name) as setting from pg_settings where name = any($1)',
        [names],
      );
      return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]));
    });
    const careless = ['fsync', 'synchronous_commit', 'full_page_writes'].find((name) => settings[name] !== 'on');
    if (careless) throw new Error(`PostgreSQL runs with ${careless} off.`);
    return { ...settings, redis: `${this.redis.foundBy}, appendonly yes, appendfsync ${REDIS_SETTINGS.appendfsync}` };
  }

  /** An empty database, the one of that name dropped. Returns the superuser's connection to it. */
  async freshDatabase(name: string): Promise<string> {
    await withClient(this.postgres.superuserUrl(), async (client) => {
      await client.query(`drop database if exists ${pg.escapeIdentifier(name)} with (force)`);
      await client.query(`create database ${pg.escapeIdentifier(name)}`);
      await client.query('checkpoint');
    });
    return this.postgres.superuserUrl(name);
  }

  /** FlowForge's schema in a database of its own, as a fresh install has it. */
  async freshFlowForge(name: string): Promise<FlowForgeDatabase> {
    await withClient(this.postgres.superuserUrl(), (client) =>
      client.query(`drop database if exists ${pg.escapeIdentifier(name)} with (force)`),
    );
    await createOwnedDatabase(this.postgres.superuserUrl(), name, PASSWORD);
    const urlAs = (role: string) => `postgresql://${role}:${PASSWORD}@127.0.0.1:${this.postgres.port}/${name}`;
    const database = {
      name,
      ownerUrl: urlAs('flowforge_owner'),
      apiUrl: urlAs('flowforge_api'),
      schedulerUrl: urlAs('flowforge_scheduler'),
      superuserUrl: this.postgres.superuserUrl(name),
    };
    await migrate({ url: database.ownerUrl, passwords: { api: PASSWORD, scheduler: PASSWORD } });
    await withClient(database.superuserUrl, (client) => client.query('checkpoint'));
    return database;
  }

  async stop(): Promise<void> {
    await this.redis.stop();
    await this.postgres.destroy();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** A connection for a piece of work. */
export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(url);
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
