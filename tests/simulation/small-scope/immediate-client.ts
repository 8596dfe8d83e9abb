import type { HotClient } from '#store';
import type { DatabaseServer } from '../database/server.ts';

/** A database session without a network: statements are done and answered at once. */
export class ImmediateClient implements HotClient {
  private readonly session;

  constructor(server: DatabaseServer) {
    this.session = server.open(() => undefined);
  }

  connect(): Promise<void> {
    return Promise.resolve();
  }

  query(statement: string | { readonly name: string; readonly values: unknown[] }): Promise<{ rows: unknown[] }> {
    const sent = typeof statement === 'string' ? { name: statement, values: [] } : statement;
    return new Promise((resolve, reject) => {
      this.session.send(sent, (answer) => {
        if ('error' in answer) reject(answer.error);
        else resolve({ rows: [...answer.rows] });
      });
    });
  }

  on(): void {
    // It never breaks.
  }

  end(): Promise<void> {
    this.session.end();
    return Promise.resolve();
  }
}
