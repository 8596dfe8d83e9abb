import type { DataSource } from 'typeorm';
import type { Role } from '#core';
import { Where } from './where.ts';

export interface NewApiKey {
  readonly name: string;
  readonly role: Role;
  /** SHA-256 of the key. */
  readonly hash: Buffer;
  readonly expiresAt: Date | null;
  readonly createdBy: string;
}

/** A key as it is listed. */
export interface ApiKeyRow {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  readonly createdBy: string;
  readonly createdAt: Date;
}

/** A key as the guard needs it; by the database's clock. */
export interface KnownApiKey {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly hash: Buffer;
  readonly expiresInMs: number | null;
  readonly expired: boolean;
  readonly revoked: boolean;
}

const COLUMNS = `id, name, role, expires_at as "expiresAt", revoked_at as "revokedAt", created_by as "createdBy", created_at as "createdAt"`;

/** Keys of the API's callers. */
export class ApiKeyStore {
  constructor(private readonly database: DataSource) {}

  async add(key: NewApiKey): Promise<ApiKeyRow> {
    const [row] = await this.database.query<ApiKeyRow[]>(
      `insert into api_keys (name, hash, role, expires_at, created_by) values ($1, $2, $3, $4, $5) returning ${COLUMNS}`,
      [key.name, key.hash, key.role, key.expiresAt, key.createdBy],
    );
    return row ?? Promise.reject(new Error('insert … returning gave no row'));
  }

  /**
   * Makes the key the one that its maker configured: it works, and the others of the same maker no longer do. Safe to call again, and by
   * several at once.
   */
  async configure(key: NewApiKey): Promise<void> {
    await this.database.query(
      `insert into api_keys (name, hash, role, expires_at, created_by) values ($1, $2, $3, $4, $5) on conflict (hash) do update set revoked_at = null`,
      [key.name, key.hash, key.role, key.expiresAt, key.createdBy],
    );
    await this.database.query(
      'update api_keys set revoked_at = clock_timestamp() where created_by = $1 and hash <> $2 and revoked_at is null',
      [key.createdBy, key.hash],
    );
  }

  async findByHash(hash: Buffer): Promise<KnownApiKey | undefined> {
    const [row] = await this.database.query<KnownApiKey[]>(
      `select id, name, role, hash, extract(epoch from expires_at - clock_timestamp())::float8 * 1000 as "expiresInMs", coalesce(expires_at <= clock_timestamp(), false) as expired, revoked_at is not null as revoked
         from api_keys where hash = $1`,
      [hash],
    );
    return row;
  }

  list(after: string | null, limit: number): Promise<ApiKeyRow[]> {
    const where = new Where().add('id > ?::uuid', after);
    return this.database.query<ApiKeyRow[]>(
      `select ${COLUMNS} from api_keys ${where.sql} order by id limit ${where.bind(limit)}`,
      where.values,
    );
  }

  /** Returns the key as it is then; undefined when there is none. Revoking again changes nothing. */
  async revoke(id: string): Promise<ApiKeyRow | undefined> {
    await this.database.query('update api_keys set revoked_at = clock_timestamp() where id = $1 and revoked_at is null', [id]);
    const [row] = await this.database.query<ApiKeyRow[]>(`select ${COLUMNS} from api_keys where id = $1`, [id]);
    return row;
  }
}
