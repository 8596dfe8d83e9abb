import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '#embedded';
import { makeTestTemplate } from './template.ts';
import { makeTestFolder } from './own-folder.ts';
import { findServer15 } from './server-15.ts';

/** A PostgreSQL server that the tests of one run share. */
export interface TestServer {
  readonly name: 'embedded 18' | 'server 15';
  /** The superuser's, with the password. */
  readonly url: string;
  /** The database that every clone is a copy of: migrated, empty. */
  readonly template: string;
  /** Of the roles flowforge_owner, flowforge_api and flowforge_scheduler on this server. */
  readonly rolePassword: string;
}

/** Started in jest's global setup, read in its workers. */
export interface TestServers {
  readonly servers: readonly TestServer[];
  /** What could not be had, and why. */
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
}

const variable = 'FLOWFORGE_TEST_SERVERS';
const tuned = {
  max_connections: 400,
  max_locks_per_transaction: 256,
  max_wal_size: '4GB',
  checkpoint_timeout: '30min',
  wal_level: 'minimal',
  max_wal_senders: 0,
  jit: false,
};

let ours: { stop(): Promise<void> }[] = [];

/** Starts the servers that this run needs and publishes them to the processes that are started from now on. */
export async function startTestServers({ only }: { only?: TestServer['name'] } = {}): Promise<TestServers> {
  const folder = await makeTestFolder('postgres');
  ours.push({ stop: () => rm(folder, { recursive: true, force: true }) });
  const skipped: { name: string; reason: string }[] = [];
  const servers = await Promise.all([
    only === 'server 15' ? undefined : startOwn('embedded 18', folder),
    only === 'embedded 18' ? undefined : startServer15(folder, (reason) => skipped.push({ name: 'server 15', reason })),
  ]);
  const result: TestServers = { servers: servers.filter((server) => server !== undefined), skipped };
  process.env[variable] = JSON.stringify(result);
  return result;
}

/** Ends what `startTestServers` started. */
export async function stopTestServers(): Promise<void> {
  const ending = ours.reverse();
  ours = [];
  for (const one of ending) await one.stop();
  delete process.env[variable];
}

/** The servers of this run as the global setup published them; `undefined` outside of such a run. */
export function publishedServers(): TestServers | undefined {
  const text = process.env[variable];
  return text === undefined ? undefined : (JSON.parse(text) as TestServers);
}

async function startServer15(folder: string, skip: (reason: string) => void): Promise<TestServer | undefined> {
  const found = await findServer15();
  if (found.kind === 'none') {
    skip(found.reason);
    return undefined;
  }
  if (found.kind === 'bin') return await startOwn('server 15', folder, found.bin);
  const faults = await faultsOf(found.url);
  if (faults) {
    skip(`TEST_DATABASE_URL: ${faults}`);
    return undefined;
  }
  return await prepare('server 15', found.url);
}

async function startOwn(name: TestServer['name'], folder: string, bin?: string): Promise<TestServer> {
  const dataDir = join(folder, name.replace(' ', '-'));
  const server: EmbeddedPostgres = await startEmbeddedPostgres({ dataDir, fsync: false, settings: tuned, ...(bin ? { bin } : {}) });
  ours.push({ stop: () => server.destroy() });
  return await prepare(name, server.superuserUrl());
}

async function prepare(name: TestServer['name'], url: string): Promise<TestServer> {
  // Derived, not random: two runs on one TEST_DATABASE_URL share the server's roles.
  const rolePassword = createHash('sha256').update(url).digest('base64url').slice(0, 24);
  const template = `flowforge_template_${process.pid}`;
  await makeTestTemplate(url, template, rolePassword);
  ours.push({ stop: () => dropTemplate(url, template) });
  return { name, url, template, rolePassword };
}

async function dropTemplate(url: string, template: string): Promise<void> {
  await withClient(url, (client) => client.query(`drop database if exists ${pg.escapeIdentifier(template)} with (force)`)).catch(
    () => undefined,
  );
}

async function faultsOf(url: string): Promise<string | undefined> {
  try {
    const { rows } = await withClient(url, (client) =>
      client.query<{ super: boolean; major: number }>(
        `select rolsuper as super, current_setting('server_version_num')::int / 10000 as major from pg_roles where rolname = current_user`,
      ),
    );
    if ((rows[0]?.major ?? 0) < 15) return `PostgreSQL ${rows[0]?.major} is older than 15`;
    return rows[0]?.super ? undefined : 'its user must be a superuser, for the tests make roles and databases';
  } catch (error) {
    return `no connection (${String(error)})`;
  }
}

/** Runs statements on a connection of its own. */
export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, application_name: 'flowforge-test' });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
