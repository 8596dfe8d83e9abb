import type { Ending, RedisServer, TcpProxy } from '#testing';
import type { Random as SeededRandom } from '../../simulation/virtual/random.ts';

/** Random numbers that a seed repeats. */
export type Random = Pick<SeededRandom, 'next' | 'int' | 'between' | 'chance' | 'pick'>;

export type Role = 'api' | 'scheduler' | 'worker';
/** Counted from 0: `api 0`, `worker 2`. */
export type MemberName = `${Role} ${number}`;
/** Who speaks > to whom. Every connection of a member passes its own link, and so do those of the copies of both servers. */
export type LinkName =
  | `${MemberName} > postgres`
  | `${MemberName} > redis`
  | `world > api ${number}`
  | 'workers > outside'
  | 'replica > redis'
  | 'standby > postgres';

/** What `/ready` says; status 0 when nobody answers. */
export interface ReadinessSeen {
  readonly status: number;
  readonly body: unknown;
}

/** How a member ended, and whether a fault wanted it. */
export interface MemberEnding extends Ending {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly wanted: boolean;
  /** The last lines that it said. */
  readonly lastLines: readonly string[];
}

/**
 * A process of ours. What ends by itself is started again a moment later, as Kubernetes does (a scheduler leaves with 75 when the epoch
 * changed), and its ending is kept; what a fault has killed stays away until `startAgain`.
 */
export interface Member {
  readonly name: MemberName;
  readonly role: Role;
  /** 0 while it is away. */
  readonly pid: number;
  readonly isRunning: boolean;
  readonly isPaused: boolean;
  readonly endings: readonly MemberEnding[];
  /** Lines of its log in this life. */
  readonly lines: readonly string[];
  /** SIGKILL unless told; waits for the end and tells how it was: 137 after SIGKILL. */
  kill(signal?: NodeJS.Signals): Promise<Ending>;
  /** Starts it with the same address and links; kills it first when it runs. `env` goes over its own in this life. Waits until it says that it is ready, `wait: false`: not. */
  startAgain(how?: { readonly env?: Readonly<Record<string, string>>; readonly wait?: boolean }): Promise<void>;
  /** SIGSTOP. */
  pause(): void;
  /** SIGCONT; does nothing when it is not paused. */
  goOn(): void;
  ready(): Promise<ReadinessSeen>;
  /** The text of its `/metrics`; rejects when nobody answers. */
  metrics(): Promise<string>;
}

export type Row = Record<string, unknown>;

/** Runs that a promotion without all commits has taken away, found by comparing the old primary with the new one. */
export interface RolledBack {
  readonly at: number;
  /** Accepted runs that the new primary does not have. */
  readonly lost: readonly string[];
  /** Runs that it has in an earlier state. */
  readonly setBack: readonly string[];
  readonly epoch: number;
}

/** PostgreSQL: a primary (fsync on) and a standby by streaming replication. */
export interface PostgresPair {
  /** Of the present primary, past every link. The database is `flowforge`. */
  readonly port: number;
  readonly pid: number;
  readonly isRunning: boolean;
  readonly ownerUrl: string;
  readonly superuserUrl: string;
  /** What promotions without all commits have taken away so far. */
  readonly rolledBack: readonly RolledBack[];
  /** As owner in the database, directly to the present primary, on a connection of its own. */
  sql<T extends Row = Row>(text: string, values?: readonly unknown[]): Promise<T[]>;
  /** The same as superuser. */
  superSql<T extends Row = Row>(text: string, values?: readonly unknown[]): Promise<T[]>;
  /** SIGKILL to the postmaster; its sessions follow. Stays down until `start`. */
  kill(): Promise<void>;
  /** `immediate` is a crash in order (SIGQUIT), `fast` ends the sessions (SIGINT). */
  stop(mode: 'fast' | 'immediate'): Promise<void>;
  start(): Promise<void>;
  /** SIGKILL to one session's process that serves a member; returns its pid and application name, nothing when there is none. */
  killBackend(random: Random): Promise<{ readonly pid: number; readonly name: string } | undefined>;
  /** Whether commits wait for the standby. */
  setSynchronous(on: boolean): Promise<void>;
  /** The standby's, while there is one. */
  readonly standbyPort: number | undefined;
  /**
   * The primary is killed, the standby made primary, every link sent over, then a new standby made. With `losesCommits` the old primary is
   * looked into once more for what the new one does not have: `rolledBack`.
   */
  promote(how: { readonly losesCommits: boolean }): Promise<void>;
  /**
   * Takes a copy of the working server, waits for `meanwhile`, then replaces the primary by the copy: the database goes back to the copy's
   * moment (`rolledBack`). On its own timeline, as after a recovery to a point in time, or on the old one with the epoch raised by hand.
   */
  restore(how: { readonly meanwhile: () => Promise<void>; readonly ownTimeline: boolean }): Promise<void>;
  /** Moves the server's log to a disk of its own that is full; returns how much it holds. Undone by `freeDisk`. Needs root. */
  fillDisk(): Promise<{ readonly mebibytes: number }>;
  freeDisk(): Promise<void>;
  /** Makes the standby when there is none or it does not stream. */
  withStandby(): Promise<void>;
}

/** Redis: a primary (append-only, everysec) and a replica behind a link. */
export interface RedisPair {
  /** The present primary, past every link. */
  readonly primary: RedisServer;
  readonly replica: RedisServer;
  readonly url: string;
  /** Runs one command on the present primary on a connection of its own. */
  command(...words: readonly (string | number)[]): Promise<unknown>;
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Makes the replica primary and sends the links over, all or those that `links` names; the old primary lives on. */
  promote(links?: readonly LinkName[]): Promise<void>;
  /** The other server becomes the replica of the present primary; every link leads to the primary. */
  reunite(): Promise<void>;
}

/** FlowForge with everything that it needs on one machine, every connection through a proxy of ours. */
export interface World {
  readonly postgres: PostgresPair;
  readonly redis: RedisPair;
  /** An admin's key for the api. */
  readonly token: string;
  /** The url that workers' http steps call; a driver sends the link `workers > outside` to its ledger with `retarget`. */
  readonly outsideUrl: string;
  /** The folder of this world: data, logs. Removed at the end unless it is kept. */
  readonly folder: string;
  /** The env that every member got, for bounds of the checker. */
  readonly times: { readonly leaseSeconds: number; readonly sweepSeconds: number; readonly heartbeatSeconds: number };
  link(name: LinkName): TcpProxy;
  /** All links, or those whose name ends with this: `> redis`. */
  linkNames(ending?: string): readonly LinkName[];
  member(name: MemberName): Member;
  members(role?: Role): readonly Member[];
  /** Through the link `world > api n`. */
  apiUrl(at?: number): string;
  /** Ends all that was started. */
  stop(): Promise<void>;
}

/** Measures of a healed fault: `{ exitCode: 137, redAfterMs: 3100 }`. */
export type Measures = Readonly<Record<string, number | string>>;

export interface Inflicted {
  /** What was broken, for the journal: `killed worker 1`. */
  readonly what: string;
  /** How long it is left broken before `heal`, in milliseconds. */
  readonly holdMs: number;
  /** Ends it; afterwards everything can be as before. Called once. */
  heal(): Promise<Measures | void>;
}

export interface Fault {
  /** The row of the fault matrix: `F08`. */
  readonly id: `F${string}`;
  /** Unique: `redis-kill`. */
  readonly name: string;
  /** What it breaks: two faults of the same target are never inflicted at once. */
  readonly targets: 'postgres' | 'redis' | 'process' | 'link' | 'message' | 'outside' | 'clock';
  /** True when it takes the database back in time: such a fault is dealt only when asked for. */
  readonly losesCommits?: boolean;
  /** Breaks something. Throws `FaultNotPossible` with a reason where this machine cannot. */
  inflict(world: World, random: Random): Promise<Inflicted>;
}

/** The fault cannot be done here: the reason goes into the report, the schedule goes on. */
export class FaultNotPossible extends Error {}
