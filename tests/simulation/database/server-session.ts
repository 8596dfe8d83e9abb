import type { Kernel } from '../virtual/kernel.ts';
import type { Database } from './database.ts';
import { StatementValues } from './statement-values.ts';
import { STATEMENTS } from './statements.ts';
import { DatabaseError, MustWait } from './table.ts';
import type { Transaction } from './transaction.ts';

export interface SentStatement {
  readonly name: string;
  readonly values: readonly unknown[];
}

export type StatementAnswer = { readonly rows: readonly object[] } | { readonly error: Error };

/** PostgreSQL ends a session whose transaction stands still for so long (`idle_in_transaction_session_timeout`). */
export const IDLE_IN_TRANSACTION_MS = 15_000;

/** What a session knows of its server. */
export interface SessionHost {
  readonly kernel: Kernel;
  readonly database: Database;
  /** Somebody waits for a lock. */
  watchIdle(): void;
}

/** One session at the server: does its statements in order, one transaction at a time, and waits where a lock is held. */
export class ServerSession {
  isWaiting = false;
  private isOver = false;
  private tx: Transaction | null = null;
  private failed = false;
  private readonly queue: { statement: SentStatement; answer: (answer: StatementAnswer) => void }[] = [];
  private touchedAt = 0;

  constructor(
    private readonly server: SessionHost,
    private readonly onEnd: () => void,
  ) {}

  /** How long its transaction has stood still. */
  get idleMs(): number {
    return this.tx && !this.isWaiting ? this.server.kernel.now - this.touchedAt : 0;
  }

  send(statement: SentStatement, answer: (answer: StatementAnswer) => void): void {
    if (this.idleMs >= IDLE_IN_TRANSACTION_MS) this.end();
    if (this.isOver) return;
    this.queue.push({ statement, answer });
    this.work();
  }

  /** The session ends: what was not committed is undone. Safe to call twice. */
  end(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.isWaiting = false;
    this.queue.length = 0;
    if (this.tx) this.server.database.end(this.tx);
    this.tx = null;
    this.onEnd();
  }

  private work(): void {
    while (!this.isWaiting && !this.isOver) {
      const next = this.queue[0];
      if (!next) return;
      this.touchedAt = this.server.kernel.now;
      const answer = this.perform(next.statement);
      if (answer === null) return this.wait();
      this.queue.shift();
      next.answer(answer);
    }
  }

  private wait(): void {
    this.isWaiting = true;
    const { kernel, database } = this.server;
    this.server.watchIdle();
    database.onceUnlocked(() =>
      // A turn of its own: whoever let go of the lock is done first, and of several that wait the order is the kernel's.
      kernel.plan(kernel.outside, kernel.random.between(0, 0.2), 'postgres lock is free', () => {
        this.isWaiting = false;
        this.work();
      }),
    );
  }

  /** Null: it has to wait. */
  private perform(statement: SentStatement): StatementAnswer | null {
    try {
      return { rows: this.run(statement) };
    } catch (thrown) {
      if (thrown instanceof MustWait) return null;
      if (!(thrown instanceof DatabaseError)) throw thrown;
      this.failed = this.tx !== null;
      return { error: thrown };
    }
  }

  private run({ name, values }: SentStatement): readonly object[] {
    if (name === 'begin') return this.begin();
    if (name === 'commit' || name === 'rollback') return this.finish(name === 'commit' && !this.failed);
    if (this.failed) throw new DatabaseError('25P02', 'current transaction is aborted');
    const work = STATEMENTS[name];
    if (!work) throw new Error(`The simulated database does not know the statement ${name}.`);
    return this.tx ? this.runIn(this.tx, work, values) : this.runAlone(work, values);
  }

  private runIn(tx: Transaction, work: (typeof STATEMENTS)[string], values: readonly unknown[]): readonly object[] {
    tx.waitsFor = null;
    try {
      return work(this.server.database, tx, new StatementValues(values));
    } catch (thrown) {
      if (thrown instanceof MustWait) tx.waitsFor = thrown.lock;
      throw thrown;
    }
  }

  /** A statement without `begin` is a transaction of its own. None of ours takes a lock that others hold for longer. */
  private runAlone(work: (typeof STATEMENTS)[string], values: readonly unknown[]): readonly object[] {
    const { database } = this.server;
    const tx = database.begin();
    try {
      const rows = work(database, tx, new StatementValues(values));
      database.commit(tx);
      return rows;
    } finally {
      database.end(tx);
    }
  }

  private begin(): readonly object[] {
    this.tx = this.server.database.begin();
    this.failed = false;
    return [];
  }

  private finish(commits: boolean): readonly object[] {
    const { tx } = this;
    this.tx = null;
    this.failed = false;
    if (tx && commits) this.server.database.commit(tx);
    else if (tx) this.server.database.end(tx);
    return [];
  }
}
