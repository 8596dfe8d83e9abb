import type { DataSource } from 'typeorm';
import type { Role } from '#core';
import { ApiKeyEntity } from './entities/api-key.entity.ts';
import { Where } from './where.ts';

export interface NewApiKey {
  readonly name: string;
  readonly role: Role;
  /** SHA-256 of the key. */
  readonly hash: Buffer;
  readonly expiresAt: Date | null;
  readonly createdBy: string;
}

/** A key as the guard needs it; `expired` by the database's clock. */
export interface KnownApiKey {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly hash: Buffer;
  readonly expiresAt: Date | null;
  readonly expired: boolean;
  readonly revoked: boolean;
}

const COLUMNS = `id, name, role, expires_at as "expiresAt", revoked_at as "revokedAt", created_by as "createdBy", created_at as "createdAt"`;

/** Keys of the API's callers. */
export class ApiKeyStore {
  constructor(private readonly database: DataSource) {}

  async add(key: NewApiKey): Promise<ApiKeyEntity> {
    const [row] = await this.database.query<ApiKeyEntity[]>(
      `insert into api_keys (name, hash, role, expires_at, created_by) values ($1, $2, $3, $4, $5) returning ${COLUMNS}`,
      [key.name, key.hash, key.role, key.expiresAt, key.createdBy],
    );
    return row ?? Promise.reject(new Error('insert … returning gave no row'));
  }

  /** Makes sure that a key exists: what a start does with the key it was configured with. Safe to call again, and by several at once. */
  async ensure(key: NewApiKey): Promise<void> {
    await this.database.query(
      `insert into api_keys (name, hash, role, expires_at, created_by) values ($1, $2, $3, $4, $5) on conflict (hash) do nothing`,
      [key.name, key.hash, key.role, key.expiresAt, key.createdBy],
    );
  }

  async findByHash(hash: Buffer): Promise<KnownApiKey | undefined> {
    const [row] = await this.database.query<KnownApiKey[]>(
      `select id, name, role, hash, expires_at as "expiresAt", coalesce(expires_at <= clock_timestamp(), false) as expired, revoked_at is not null as revoked
         from api_keys where hash = $1`,
      [hash],
    );
    return row;
  }

  list(after: string | null, limit: number): Promise<ApiKeyEntity[]> {
    const where = new Where().add('id > ?::uuid', after);
    return this.database.query<ApiKeyEntity[]>(
      `select ${COLUMNS} from api_keys ${where.sql} order by id limit ${where.bind(limit)}`,
      where.values,
    );
  }

  /** Returns the key as it is then; undefined when there is none. Revoking again changes nothing. */
  async revoke(id: string): Promise<ApiKeyEntity | undefined> {
    await this.database.query('update api_keys set revoked_at = clock_timestamp() where id = $1 and revoked_at is null', [id]);
    const [row] = await this.database.query<ApiKeyEntity[]>(`select ${COLUMNS} from api_keys where id = $1`, [id]);
    return row;
  }
}
