import type pg from 'pg';
import { DomainError } from '#core';
import { binaryArray } from './binary-array.ts';
import { PgSession } from './pg-session.ts';
import type { Statement } from './statement.ts';

/**
 * Settings of every hot connection. Generic plans: a plan made for a fresh table, with one row estimated, must not stay. No sequential
 * scans: every hot statement goes by an index, whatever the statistics say of a table that was just made. A transaction whose client was lost
 * in its middle holds its locks no longer than it must, and a session whose client is gone is noticed by the server, too.
 */
export const HOT_SETTINGS = [
  'plan_cache_mode=force_generic_plan',
  'enable_seqscan=off',
  'jit=off',
  'statement_timeout=30s',
  'idle_in_transaction_session_timeout=5s',
  'tcp_keepalives_idle=10s',
  'tcp_keepalives_interval=3s',
  'tcp_keepalives_count=3',
  'tcp_user_timeout=20s',
]
  .map((setting) => `-c ${setting}`)
  .join(' ');
const CONNECT_TIMEOUT_MS = 5_000;
/** Longer than any statement may take: who has not answered by then is gone, and the network has not told. A `SessionWatch` notices it sooner. */
const ANSWER_WITHIN_MS = 35_000;

/** What runs inside one transaction of a hot connection. Statements sent without awaiting travel together. */
export interface HotTransaction {
  query<Row>(statement: Statement, values: readonly unknown[]): Promise<Row[]>;
}

/** A transaction whose end its work may bring about. */
export interface OpenTransaction extends HotTransaction {
  /**
   * Sends the commit behind what was sent so far, in the same packet: for work whose statements refuse by themselves what must not be committed.
   * Nothing may be sent after it; a statement that was refused makes it a rollback.
   */
  commitBehind(): void;
}

/** What a hot connection needs of a driver's session: statements are answered in the order they were sent. */
export interface HotClient {
  connect(): Promise<unknown>;
  query(statement: string | { readonly name: string; readonly text: string; readonly values: unknown[] }): Promise<{ rows: unknown[] }>;
  on(event: 'error' | 'end', listener: () => void): unknown;
  /** What is sent from now until the end of this tick leaves in one packet, and arrays may be given in binary form. */
  gather?(): void;
  end(): Promise<void>;
}

/** Opens sessions: PostgreSQL's, or in a simulation those of its database. */
export type OpenHotClient = (config: pg.ClientConfig) => HotClient;

/** A session and, once it is connected, the same again. */
interface Session {
  readonly client: HotClient;
  readonly ready: Promise<HotClient>;
}

/**
 * One PostgreSQL session for the hot path: prepared statements, pipelined. Transactions take turns. A lost session is opened again at the
 * next use; what was under way fails with the driver's error, and the caller reads what became of it.
 */
export class HotConnection implements HotTransaction {
  private current: Session | null = null;
  private turn: Promise<unknown> = Promise.resolve();
  private closed = false;

  constructor(
    private readonly url: string,
    private readonly name: string,
    private readonly answerWithinMs = ANSWER_WITHIN_MS,
    private readonly openClient: OpenHotClient = (config) => new PgSession(config),
  ) {}

  /**
   * Sent at once, beside other statements, but never into a transaction that is under way: that could still roll it back. Within a
   * transaction's work use its `tx`; a statement awaited here would wait for the transaction that waits for it.
   */
  async query<Row>(statement: Statement, values: readonly unknown[]): Promise<Row[]> {
    const sent = this.turn.then(async () => ({ answer: run<Row>(await this.session(), statement, values) }));
    this.turn = sent.catch(() => {});
    return (await sent).answer;
  }

  /** Runs `work` between begin and commit; rolls back when it throws. One at a time per connection. */
  transaction<T>(work: (tx: OpenTransaction) => Promise<T>): Promise<T> {
    const mine = this.turn.then(() => this.transact(work));
    this.turn = mine.catch(() => {});
    return mine;
  }

  private async transact<T>(work: (tx: OpenTransaction) => Promise<T>): Promise<T> {
    const client = await this.session();
    const begun = client.query('begin');
    let committed: Promise<unknown> | null = null;
    const commit = () => (committed ??= client.query('commit'));
    const tx: OpenTransaction = {
      query: (statement, values) => (committed ? Promise.reject(tooLate(statement)) : run(client, statement, values)),
      // Its refusal is met below, where it is awaited.
      commitBehind: () => void commit().catch(() => {}),
    };
    try {
      const [, result] = await Promise.all([begun, work(tx)]);
      await commit();
      return result;
    } catch (error) {
      await client.query('rollback').catch(() => this.drop(client));
      throw error;
    }
  }

  private session(): Promise<HotClient> {
    if (this.closed) return Promise.reject(new DomainError('database.closed', 'The database connection was closed.', {}, null, 'outage'));
    this.current ??= this.open();
    return this.current.ready;
  }

  private open(): Session {
    const client = this.openClient({
      connectionString: this.url,
      application_name: `flowforge-${this.name}`,
      options: HOT_SETTINGS,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: this.answerWithinMs,
      keepAlive: true,
      pipeline: true,
    });
    // A stopping server tells every session; the statement under way reports it, the event itself must not end the process.
    client.on('error', () => this.drop(client));
    client.on('end', () => this.drop(client));
    const ready = client.connect().then(
      () => client,
      (error: unknown) => {
        this.drop(client);
        throw error;
      },
    );
    return { client, ready };
  }

  /** Ends a session that broke. Its last words may come when another has taken its place already, which stays. */
  private drop(client: HotClient): void {
    if (this.current?.client === client) this.current = null;
    client.end().catch(() => {});
  }

  /** Waits for the transaction under way, then ends the session. Safe to call twice. */
  async close(): Promise<void> {
    this.closed = true;
    await this.turn;
    const client = await this.current?.ready.catch(() => null);
    this.current = null;
    await client?.end();
  }
}

/** Behind the commit it would be a transaction of its own. */
function tooLate({ name }: Statement): DomainError {
  return new DomainError('invariant.broken', 'A statement came behind the commit of its transaction.', { statement: name }, null, 'bug');
}

async function run<Row>(client: HotClient, statement: Statement, values: readonly unknown[]): Promise<Row[]> {
  const { name, text } = statement;
  client.gather?.();
  const { rows } = await client.query({ name, text, values: client.gather ? inBinary(statement, values) : [...values] });
  return rows as Row[];
}

function inBinary({ arrays }: Statement, values: readonly unknown[]): unknown[] {
  return values.map((value, place) => {
    const type = arrays?.[place];
    return type && Array.isArray(value) ? (binaryArray(value, type) ?? value) : value;
  });
}
