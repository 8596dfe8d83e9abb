import pg from 'pg';
import { DataSource } from 'typeorm';
import { DomainError } from '#core';
import { DeploymentEntity } from './entities/deployment.entity.ts';
import { WorkflowEntity } from './entities/workflow.entity.ts';

/** Connections of a pool, and how long a caller waits for one, unless told otherwise. */
export const POOL_CONNECTIONS_MAX = 20;
export const ACQUIRE_TIMEOUT_MS = 5_000;
/** A plain read or write takes milliseconds; whatever is longer under way has lost its caller. */
const STATEMENT_TIMEOUT_MS = 15_000;

/** A pool of connections with what is mapped to entities. */
export type Database = DataSource;

export interface DatabaseOptions {
  /** Connection of the service's own role. */
  readonly url: string;
  /** Shown by PostgreSQL beside each session: `flowforge-<name>`. */
  readonly name: string;
  readonly connectionsMax?: number;
  readonly acquireTimeoutMs?: number;
  /** Hears of idle sessions that broke: the next use opens another. */
  readonly onError?: (error: unknown) => void;
}

/**
 * The pool for plain reads and writes. Throws the driver's error when the database cannot be reached, `database.read_only` (an outage)
 * when it is a standby: each new session is looked at, so that a fail-over is not followed to the wrong server.
 */
export async function openDatabase(options: DatabaseOptions): Promise<DataSource> {
  const source = new DataSource({
    type: 'postgres',
    url: options.url,
    applicationName: `flowforge-${options.name}`,
    entities: [WorkflowEntity, DeploymentEntity],
    poolSize: options.connectionsMax ?? POOL_CONNECTIONS_MAX,
    poolErrorHandler: options.onError ?? (() => {}),
    extra: {
      connectionTimeoutMillis: options.acquireTimeoutMs ?? ACQUIRE_TIMEOUT_MS,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      keepAlive: true,
      verify: refuseStandby,
    },
  });
  return source.initialize();
}

function refuseStandby(client: pg.Client, done: (error?: Error) => void): void {
  client.query<{ standby: boolean }>('select pg_is_in_recovery() as standby').then(({ rows }) => {
    done(
      rows[0]?.standby
        ? new DomainError('database.read_only', 'The database is a standby.', {}, 'Point DATABASE_URL at the primary.', 'outage')
        : undefined,
    );
  }, done);
}
