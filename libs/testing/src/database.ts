import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { type TestServer, type TestServers, publishedServers, startTestServers, stopTestServers, withClient } from './test-servers.ts';

/** A migrated, empty database for one test file; `drop` it in `afterAll`. The urls log in as the service's own role, as in production. */
export interface TestDatabase {
  readonly name: string;
  readonly superuserUrl: string;
  readonly ownerUrl: string;
  readonly apiUrl: string;
  readonly schedulerUrl: string;
  drop(): Promise<void>;
}

/** A PostgreSQL server that suites run on. */
export interface DatabaseServer {
  readonly name: TestServer['name'];
  cloneDatabase(): Promise<TestDatabase>;
}

/**
 * The servers of this test run, for `describe.each(databaseServers())('on $name', ({ cloneDatabase }) => …)`: the embedded 18 and, where
 * it can be had, a 15. What was skipped, and why, is printed when the run starts. Only inside of jest.
 */
export function databaseServers(): readonly DatabaseServer[] {
  const published = publishedServers();
  if (!published) throw new Error('No test servers: name the file *.int.test.ts or *.e2e.test.ts, so that jest starts them.');
  return published.servers.map((server) => ({ name: server.name, cloneDatabase: () => clone(server) }));
}

let lazily: Promise<TestServers> | undefined;

/** The embedded server of this run. Outside of jest (benchmarks, proofs) the first call starts one, and `stopTestCluster` ends it. */
export async function testCluster(): Promise<DatabaseServer & { readonly superuserUrl: string }> {
  const { servers } = publishedServers() ?? (await (lazily ??= startTestServers({ only: 'embedded 18' })));
  const server = servers.find(({ name }) => name === 'embedded 18');
  if (!server) throw new Error('The embedded server is missing from the test servers.');
  return { name: server.name, superuserUrl: server.url, cloneDatabase: () => clone(server) };
}

/** Ends the server that `testCluster` started outside of jest; does nothing inside. */
export async function stopTestCluster(): Promise<void> {
  if (lazily) await stopTestServers();
  lazily = undefined;
}

/** A fresh database on the embedded server: about 60 ms. */
export async function cloneDatabase(): Promise<TestDatabase> {
  return await (await testCluster()).cloneDatabase();
}

async function clone(server: TestServer): Promise<TestDatabase> {
  const name = `flowforge_test_${process.pid}_${randomBytes(4).toString('hex')}`;
  const identifier = pg.escapeIdentifier(name);
  await withClient(server.url, (client) =>
    client.query(`create database ${identifier} template ${pg.escapeIdentifier(server.template)} owner flowforge_owner`),
  );
  const urlAs = (role: string) => databaseUrl(server.url, name, role, server.rolePassword);
  return {
    name,
    superuserUrl: databaseUrl(server.url, name),
    ownerUrl: urlAs('flowforge_owner'),
    apiUrl: urlAs('flowforge_api'),
    schedulerUrl: urlAs('flowforge_scheduler'),
    drop: async () => {
      await withClient(server.url, (client) => client.query(`drop database if exists ${identifier} with (force)`));
    },
  };
}

function databaseUrl(server: string, database: string, role?: string, password?: string): string {
  const url = new URL(server);
  url.pathname = `/${database}`;
  if (role !== undefined) url.username = role;
  if (password !== undefined) url.password = password;
  return url.href;
}
