import type { Kernel } from '../virtual/kernel.ts';
import type { Database } from './database.ts';
import { IDLE_IN_TRANSACTION_MS, ServerSession } from './server-session.ts';

/** The database as a server: sessions that come and go, and the times when it is away. */
export class DatabaseServer {
  isDown = false;
  private readonly sessions = new Set<ServerSession>();
  private watching = false;

  constructor(
    readonly kernel: Kernel,
    readonly database: Database,
  ) {}

  open(onEnd: () => void): ServerSession {
    const session = new ServerSession(this, () => {
      this.sessions.delete(session);
      onEnd();
    });
    this.sessions.add(session);
    return session;
  }

  /** Ends every session: the server stops, or is restored. */
  endAll(): void {
    for (const session of [...this.sessions]) session.end();
  }

  /** Somebody waits for a lock: sees to it that no transaction which stands still holds it for ever. */
  watchIdle(): void {
    if (this.watching) return;
    this.watching = true;
    this.kernel.plan(this.kernel.outside, IDLE_IN_TRANSACTION_MS / 5, 'postgres watches idle transactions', () => {
      this.watching = false;
      for (const session of [...this.sessions]) if (session.idleMs >= IDLE_IN_TRANSACTION_MS) session.end();
      if ([...this.sessions].some((session) => session.isWaiting)) this.watchIdle();
    });
  }
}
