import pg from 'pg';
import { DomainError } from '#core';

/** How long a goodbye may take: who does not answer it is hung up on. */
const GOODBYE_MS = 3_000;

/**
 * A session of the driver that can be looked at and torn down. Refuses a standby while it connects (`database.read_only`, an outage), so that a
 * fail-over is not followed to the wrong server: the server names its role with its greeting, which costs no question.
 */
export class PgSession extends pg.Client {
  /** The driver's own: false from the sending of a statement to the answer of the last one. */
  declare readonly readyForQuery: boolean | undefined;
  declare readonly connection: pg.Connection;
  /** The process that serves this session; null before it is connected. */
  declare readonly processID: number | null;

  constructor(config: pg.ClientConfig) {
    super(config);
    this.connection.on('parameterStatus', (status: { parameterName: string; parameterValue: string }) => {
      if (status.parameterName === 'in_hot_standby' && status.parameterValue === 'on') this.refuse(standby());
    });
  }

  /** An answer is awaited. */
  get isBusy(): boolean {
    return this.readyForQuery === false;
  }

  /** Bytes that have arrived so far. */
  get bytesHeard(): number {
    const { stream } = this.connection;
    return 'bytesRead' in stream && typeof stream.bytesRead === 'number' ? stream.bytesRead : 0;
  }

  /** Statements of one tick leave in one packet: one call of the kernel here, and one waking of the server. */
  gather(): void {
    const { stream } = this.connection;
    if (!('cork' in stream) || stream.writableCorked > 0) return;
    stream.cork();
    process.nextTick(() => stream.uncork());
  }

  /** Tears the connection down without a word; what is under way fails. */
  destroy(reason?: Error): void {
    this.connection.stream.destroy(reason);
  }

  /** Says goodbye, waits for the end, and hangs up when it does not come. */
  override end(callback?: (error: Error) => void): Promise<void> {
    const timer = setTimeout(() => this.destroy(), GOODBYE_MS);
    const ended = super.end().finally(() => clearTimeout(timer));
    if (callback) void ended.then(() => Reflect.apply(callback, undefined, []));
    return ended;
  }

  /** Fails the connecting. What the server says after its greeting lies in the same packet, and would complete it all the same. */
  private refuse(reason: DomainError): void {
    this.connection.removeAllListeners('readyForQuery');
    this.connection.emit('error', reason);
    this.destroy();
  }
}

function standby(): DomainError {
  return new DomainError('database.read_only', 'The database is a standby.', {}, 'Point DATABASE_URL at the primary.', 'outage');
}
