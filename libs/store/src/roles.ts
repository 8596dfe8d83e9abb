import pg from 'pg';
import { DomainError } from '#core';

/** The login roles of the services, made once per server. The worker has none: it never meets the database. */
export const OWNER_ROLE = 'flowforge_owner';
export const API_ROLE = 'flowforge_api';
export const SCHEDULER_ROLE = 'flowforge_scheduler';

export interface ServicePasswords {
  readonly api: string;
  readonly scheduler: string;
}

/**
 * Makes the services' login roles where they are missing and sets their passwords. Needs CREATEROLE (or roles made beforehand by an
 * administrator, with `passwords` null). Safe to call again, and by several at once.
 */
export async function ensureServiceRoles(client: pg.ClientBase, passwords: ServicePasswords | null): Promise<void> {
  for (const role of [API_ROLE, SCHEDULER_ROLE]) await createRole(client, role);
  if (passwords) {
    await setPassword(client, API_ROLE, passwords.api);
    await setPassword(client, SCHEDULER_ROLE, passwords.scheduler);
  }
}

/**
 * Makes the database with its owner, as the local profile and the tests need it: `superuserUrl` connects to any database of the server.
 * The owner may make roles, and is no superuser. Safe to call again: it sets the owner's password.
 */
export async function createOwnedDatabase(superuserUrl: string, database: string, ownerPassword: string): Promise<void> {
  await withClient(superuserUrl, async (superuser) => {
    await createRole(superuser, OWNER_ROLE);
    // Inherit: from PostgreSQL 15 on the schema `public` belongs to the database's owner by way of a role.
    await superuser.query(`alter role ${OWNER_ROLE} createrole inherit`);
    await setPassword(superuser, OWNER_ROLE, ownerPassword);
    const { rowCount } = await superuser.query('select from pg_database where datname = $1', [database]);
    if (rowCount !== 0) return;
    await superuser.query(`create database ${pg.escapeIdentifier(database)} owner ${OWNER_ROLE}`);
    await superuser.query(`revoke temporary on database ${pg.escapeIdentifier(database)} from public`);
  });
}

/**
 * Ends every lease now. For a profile in which nobody else can hold one: under the lock of its data folder, what a crash left is over when
 * the next start begins, not when it would have run out.
 */
export async function endAllLeases(ownerUrl: string): Promise<void> {
  await withClient(ownerUrl, async (owner) => {
    await owner.query('update worker_sessions set expires_at = least(expires_at, clock_timestamp())');
    await owner.query('update leader_leases set expires_at = least(expires_at, clock_timestamp())');
  });
}

async function withClient(url: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client(url);
  // A stopping server tells every session; the statement under way reports it.
  client.on('error', () => {});
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

async function createRole(client: pg.ClientBase, role: string): Promise<void> {
  const { rowCount } = await client.query('select from pg_roles where rolname = $1', [role]);
  if (rowCount) return;
  try {
    await client.query(`create role ${role} login nosuperuser nocreatedb nocreaterole`);
  } catch (error) {
    if (isSqlState(error, '42710') || isSqlState(error, '23505')) return; // another process made it meanwhile
    if (isSqlState(error, '42501')) {
      throw new DomainError(
        'migration.role_missing',
        `The role ${role} does not exist and this login may not make it.`,
        { role },
        `Let an administrator run: create role ${role} login password '…'; or migrate with a login that has CREATEROLE.`,
      );
    }
    throw error;
  }
}

async function setPassword(client: pg.ClientBase, role: string, password: string): Promise<void> {
  await client.query(`alter role ${role} login password ${pg.escapeLiteral(password)}`);
}

export function isSqlState(error: unknown, state: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === state;
}
