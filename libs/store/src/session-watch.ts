import { DomainError } from '#core';
import type { OpenHotClient } from './hot-connection.ts';
import { PgSession } from './pg-session.ts';

/** Where a watch tells what it sees: a logger. */
export interface WatchLog {
  info(details: object, text: string): void;
  warn(details: object, text: string): void;
  error(details: object, text: string): void;
}

export interface WatchOptions {
  /** The database whose sessions are looked after. */
  readonly url: string;
  /** Of the service. */
  readonly name: string;
  readonly log?: WatchLog;
  /** Called when the database answers again after it was away. */
  readonly onBack?: () => void;
  readonly times?: Partial<WatchTimes>;
}

/** All in milliseconds. */
export interface WatchTimes {
  /** Pause between two questions to the database. */
  readonly every: number;
  /** How long one question may take, with the connecting when there is none. */
  readonly answer: number;
  /** The database counts as away when it has left two questions, and this time, without an answer. */
  readonly away: number;
  /** A session that has waited for so long without hearing anything is asked about. */
  readonly suspect: number;
  /** Readiness turns red when a session has waited for so long, even if the database is at work for it: nothing moves on. */
  readonly standing: number;
}

const TIMES: WatchTimes = { every: 1_000, answer: 2_500, away: 4_000, suspect: 3_000, standing: 8_000 };
const RETRY_MS_FIRST = 100;
/** Looks in a row that find the database idle about a session which waits for it: one may have met an answer on its way. */
const STRIKES_MAX = 2;
const SILENT: WatchLog = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** What is known of a session, in the time of `performance.now()`. */
interface Known {
  readonly name: string;
  bytes: number;
  heardAt: number;
  /** When it was last seen with nothing under way. */
  idleAt: number;
  strikes: number;
}

/**
 * Looks after the database sessions of one process. A link can be half open: it accepts what is sent, answers nothing, and tells nobody; no
 * limit that the server keeps can help there. So a session of its own asks the database every second, and asks about those that have waited
 * long for an answer: whoever waits although the database does nothing for it is torn down, and its caller decides anew what became of the
 * work. A statement that is merely slow is left alone. When the database does not answer at all, every session that hears nothing is given
 * up, and nobody but this watch knocks until it answers again. The sessions themselves pay nothing for it: no timer, no round trip.
 */
export class SessionWatch {
  private readonly sessions = new Map<PgSession, Known>();
  private readonly times: WatchTimes;
  private readonly log: WatchLog;
  private readonly watching: Promise<void>;
  private probe: PgSession | null = null;
  private answeredAt = performance.now();
  private misses = 0;
  /** Why the last question failed, when that is certain: refused, not merely unanswered. */
  private refusal: string | null = null;
  private away: DomainError | null = null;
  private closed = false;
  private wake: () => void = () => undefined;

  constructor(private readonly options: WatchOptions) {
    this.times = { ...TIMES, ...options.times };
    this.log = options.log ?? SILENT;
    this.watching = this.watch();
  }

  /** Opens sessions that are looked after. Throws `database.unavailable` at once while the database is away. */
  readonly openClient: OpenHotClient = (config) => {
    if (this.away) throw this.away;
    const session = new PgSession(config);
    this.keep(session, config.application_name ?? '');
    return session;
  };

  /** Looks after a session until it ends. */
  keep(session: PgSession, name: string): void {
    const now = performance.now();
    this.sessions.set(session, { name, bytes: 0, heardAt: now, idleAt: now, strikes: 0 });
    // What breaks is told to whoever has a statement under way; the event itself must not end the process.
    session.on('error', () => undefined);
    session.once('end', () => this.sessions.delete(session));
  }

  /** Whether the database answers, and nothing has waited for it too long. */
  check(): { readonly status: 'ok' | 'down'; readonly detail: string } {
    const now = performance.now();
    const unanswered = now - this.answeredAt;
    if (this.refusal !== null) return { status: 'down', detail: this.refusal };
    if (this.away || unanswered > this.times.away) return { status: 'down', detail: `no answer for ${Math.round(unanswered)} ms` };
    const [waited = 0, name = ''] =
      [...this.sessions]
        .map(([session, known]) => [silence(session, known, now), known.name] as const)
        .toSorted(([one], [other]) => other - one)[0] ?? [];
    if (waited > this.times.standing) return { status: 'down', detail: `${name} has waited ${Math.round(waited)} ms for an answer` };
    return { status: 'ok', detail: `last answer ${Math.round(unanswered)} ms ago` };
  }

  /** Stops watching. The sessions belong to whoever opened them: close them before. */
  async close(): Promise<void> {
    this.closed = true;
    this.wake();
    await this.watching;
    await this.probe?.end();
  }

  private async watch(): Promise<void> {
    while (!this.closed) {
      await this.look();
      if (!this.closed) await this.rest();
    }
  }

  private async rest(): Promise<void> {
    const { every } = this.times;
    const base = this.misses === 0 ? every : Math.min(every, RETRY_MS_FIRST * 2 ** this.misses);
    await new Promise<void>((resolve) => {
      // Spread, so that a database that comes back is not met by all processes at once.
      const timer = setTimeout(resolve, base * (0.75 + Math.random() / 2));
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private async look(): Promise<void> {
    const now = performance.now();
    const suspects = [...this.sessions].flatMap(([session, known]) =>
      silence(session, known, now) >= this.times.suspect ? [session] : [],
    );
    try {
      this.judge(suspects, await this.ask(suspects));
      this.answered();
    } catch (error) {
      this.missed(error);
    }
  }

  /** Which of the suspects the database is at work for; null when a pooler stands between, so that nothing can be said. */
  private async ask(suspects: readonly PgSession[]): Promise<ReadonlySet<number> | null> {
    const question = this.askWithin(suspects.map(({ processID }) => processID));
    const [row] = await within(question, this.times.answer);
    return row && row.here === this.probe?.processID ? new Set(row.working) : null;
  }

  private async askWithin(pids: readonly (number | null)[]): Promise<{ here: number; working: number[] }[]> {
    const probe = await this.open();
    if (pids.length === 0) return (await probe.query<{ here: number; working: number[] }>(ALIVE)).rows;
    return (await probe.query<{ here: number; working: number[] }>(WORKING, [pids])).rows;
  }

  private async open(): Promise<PgSession> {
    if (this.probe) return this.probe;
    const probe = new PgSession({
      connectionString: this.options.url,
      application_name: `flowforge-${this.options.name}-watch`,
      connectionTimeoutMillis: this.times.answer,
      keepAlive: true,
    });
    this.probe = probe;
    probe.on('error', () => this.drop(probe));
    probe.once('end', () => this.drop(probe));
    await probe.connect();
    return probe;
  }

  private drop(probe: PgSession): void {
    probe.destroy();
    if (this.probe !== probe) return;
    this.probe = null;
    // It broke between two questions: the next one tells more.
    this.wake();
  }

  private answered(): void {
    const awayMs = Math.round(performance.now() - this.answeredAt);
    this.answeredAt = performance.now();
    this.misses = 0;
    this.refusal = null;
    if (!this.away) return;
    this.away = null;
    this.log.info({ awayMs }, 'the database answers again');
    this.options.onBack?.();
  }

  private missed(reason: unknown): void {
    if (this.probe) this.drop(this.probe);
    if (this.closed) return;
    this.misses += 1;
    this.refusal = codeOf(reason) === '' ? null : String(reason);
    if (this.misses < 2 || (this.refusal === null && performance.now() - this.answeredAt < this.times.away)) return;
    if (!this.away) this.log.error({ err: reason }, 'the database does not answer; it is asked until it does');
    this.away = awayError();
    // A server that refuses this session is there all the same: the others may still be served.
    if (!/^[0-9A-Z]{5}$/.test(codeOf(reason))) this.giveUpUnheard();
  }

  private judge(suspects: readonly PgSession[], working: ReadonlySet<number> | null): void {
    if (!working) return;
    const now = performance.now();
    for (const session of suspects) {
      const known = this.sessions.get(session);
      if (!known || silence(session, known, now) < this.times.suspect) continue;
      known.strikes = session.processID !== null && working.has(session.processID) ? 0 : known.strikes + 1;
      if (known.strikes >= STRIKES_MAX) this.giveUp(session, known, now);
    }
  }

  /** Also those with nothing under way: their link is as dead, and whoever used them next would have to find out. */
  private giveUpUnheard(): void {
    const now = performance.now();
    for (const [session, known] of this.sessions) {
      silence(session, known, now);
      if (now - known.heardAt >= this.times.suspect) this.giveUp(session, known, now);
    }
  }

  private giveUp(session: PgSession, { name, heardAt }: Known, now: number): void {
    const details = { session: name, silentMs: Math.round(now - heardAt) };
    this.log.warn(details, 'a database session fell silent and is given up; who waited for it decides anew');
    session.destroy();
  }
}

const ALIVE = `select pg_backend_pid() as here, '{}'::int[] as working`;
/** Who waits for its client, to send or to take something, does nothing for it. */
const WORKING = `
select pg_backend_pid() as here, array(select pid from pg_stat_activity
 where pid = any($1::int[]) and state in ('active', 'fastpath function call') and wait_event_type is distinct from 'Client') as working`;

/** Milliseconds for which a session has waited for an answer without hearing anything; 0 when nothing is under way. */
function silence(session: PgSession, known: Known, now: number): number {
  const bytes = session.bytesHeard;
  if (bytes !== known.bytes) Object.assign(known, { bytes, heardAt: now, strikes: 0 });
  if (!session.isBusy) Object.assign(known, { idleAt: now, strikes: 0 });
  return now - Math.max(known.heardAt, known.idleAt);
}

/** Settles as `work` does, or rejects after `ms`. Where this process itself was held up, the answer may lie in the socket: it is given a turn. */
function within<T>(work: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new Error(`no answer within ${ms} ms`));
    const timer = setTimeout(() => setImmediate(() => setImmediate(late)), ms);
    void work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** SQLSTATE, or the code of a network error; empty for who merely did not answer. */
function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function awayError(): DomainError {
  return new DomainError('database.unavailable', 'The database cannot be reached.', {}, 'Try again in a moment.', 'outage');
}
