import type { HotClient } from '#store';
import type { SimulatedProcess } from '../virtual/simulated-process.ts';
import type { Weather } from '../network/weather.ts';
import type { DatabaseServer } from './server.ts';
import type { SentStatement, ServerSession, StatementAnswer } from './server-session.ts';

interface Waiting {
  readonly statement: SentStatement;
  readonly resolve: (answer: { rows: unknown[] }) => void;
  readonly reject: (error: Error) => void;
}

/** Stands in for the driver's client: statements go out in order, answers come back in order, and either way the line may break. */
export class SimulatedClient implements HotClient {
  private session: ServerSession | null = null;
  private readonly process: SimulatedProcess;
  private outgoing: Waiting[] = [];
  private isSending = false;
  private answers: (() => void)[] = [];
  private isAnswering = false;
  private readonly unanswered = new Set<Waiting>();
  private readonly listeners: (() => void)[] = [];
  private isLost = false;

  constructor(
    private readonly server: DatabaseServer,
    private readonly weather: Weather,
  ) {
    this.process = server.kernel.process;
    this.process.whenItDies(() =>
      server.kernel.plan(server.kernel.outside, weather.latencyMs() * 20, 'postgres notices a dead client', () => this.session?.end()),
    );
  }

  connect(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.toServer('connect', () => {
        if (this.server.isDown || this.weather.happens('connection refused')) {
          const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
          return this.toClient('refused', () => reject(refused));
        }
        this.session = this.server.open(() => this.lose());
        return this.toClient('connected', resolve);
      });
    });
  }

  query(statement: string | { readonly name: string; readonly values: unknown[] }): Promise<{ rows: unknown[] }> {
    if (this.isLost) return Promise.reject(new Error('Client has encountered a connection error and is not queryable'));
    const sent = typeof statement === 'string' ? { name: statement, values: [] } : statement;
    return new Promise((resolve, reject) => {
      const waiting = { statement: sent, resolve, reject };
      this.unanswered.add(waiting);
      this.outgoing.push(waiting);
      this.send();
    });
  }

  on(_event: 'error' | 'end', listener: () => void): void {
    this.listeners.push(listener);
  }

  end(): Promise<void> {
    this.toServer('goodbye', () => this.session?.end());
    return Promise.resolve();
  }

  private send(): void {
    if (this.isSending) return;
    this.isSending = true;
    this.toServer('does', () => {
      this.isSending = false;
      this.server.kernel.tell(() => this.outgoing.map(({ statement }) => statement.name).join(' '));
      this.arrive();
    });
  }

  private arrive(): void {
    for (let next = this.outgoing.shift(); next; next = this.outgoing.shift()) {
      const waiting = next;
      if (this.weather.happens('statement lost')) return this.session?.end();
      this.session?.send(waiting.statement, (answer) => this.answer(waiting, answer));
      const isCommit = waiting.statement.name === 'commit';
      if (this.weather.happens(isCommit ? 'commit answer lost' : 'statement answer lost')) return this.session?.end();
      if (this.outgoing.length > 0 && this.weather.splitsPacket()) return this.send();
    }
  }

  private answer(waiting: Waiting, answer: StatementAnswer): void {
    this.server.kernel.hears(this.process, waiting.statement.name, answer);
    this.answers.push(() => {
      this.unanswered.delete(waiting);
      if ('error' in answer) waiting.reject(answer.error);
      else waiting.resolve({ rows: [...answer.rows] });
    });
    if (this.isAnswering) return;
    this.isAnswering = true;
    this.toClient('answers', () => {
      this.isAnswering = false;
      for (const give of this.answers.splice(0)) give();
    });
  }

  /** The session is gone: whatever has no answer by now gets none. */
  private lose(): void {
    this.answers = [];
    this.toClient('lost', () => {
      this.isLost = true;
      for (const waiting of this.unanswered) waiting.reject(new Error('Connection terminated unexpectedly'));
      this.unanswered.clear();
      for (const listener of this.listeners) listener();
    });
  }

  private toServer(what: string, run: () => void): void {
    const { kernel } = this.server;
    if (this.process.alive) kernel.plan(kernel.outside, this.weather.latencyMs(), `postgres ${what} for ${this.process.name}`, run);
  }

  private toClient(what: string, run: () => void): void {
    this.server.kernel.plan(this.process, this.weather.latencyMs(), `postgres ${what}`, run);
  }
}
