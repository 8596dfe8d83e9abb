import type pg from 'pg';
import { DataSource } from 'typeorm';
import { DeploymentEntity } from './entities/deployment.entity.ts';
import { WorkflowEntity } from './entities/workflow.entity.ts';
import { PgSession } from './pg-session.ts';
import type { SessionWatch } from './session-watch.ts';

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
  /** Looks after the sessions: without it, a link that falls silent takes its callers with it. */
  readonly watch?: SessionWatch;
}

/**
 * The pool for plain reads and writes. Throws the driver's error when the database cannot be reached, `database.read_only` (an outage)
 * when it is a standby: each new session is looked at, so that a fail-over is not followed to the wrong server.
 */
export async function openDatabase(options: DatabaseOptions): Promise<DataSource> {
  const { watch } = options;
  const applicationName = `flowforge-${options.name}`;
  const source = new DataSource({
    type: 'postgres',
    url: options.url,
    applicationName,
    entities: [WorkflowEntity, DeploymentEntity],
    poolSize: options.connectionsMax ?? POOL_CONNECTIONS_MAX,
    poolErrorHandler: options.onError ?? (() => {}),
    extra: {
      connectionTimeoutMillis: options.acquireTimeoutMs ?? ACQUIRE_TIMEOUT_MS,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      keepAlive: true,
      Client: class extends PgSession {
        constructor(config: pg.ClientConfig) {
          super(config);
          watch?.keep(this, applicationName);
        }
      },
    },
  });
  return source.initialize();
}
