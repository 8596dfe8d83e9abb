import type { HotConnection } from '../hot-connection.ts';
import { statement } from '../statement.ts';

const SESSIONS_BEAT = statement('sessions_beat');
const SESSIONS_LEAVE = statement('sessions_leave');
const STEPS_HELD_STALE = statement('steps_held_stale');

/** A worker session's heartbeat. `held`: [run id, step number, dispatch number], of which the first `begun` were begun (unknown: all of them). `beat`: its number within the session; older ones are passed over. */
export interface Heartbeat {
  readonly session: string;
  readonly deploymentId: string;
  readonly worker: string;
  readonly concurrency: number;
  readonly kinds: readonly string[];
  readonly held: readonly (readonly [string, number, number])[];
  readonly begun?: number | undefined;
  readonly beat?: number | undefined;
}

/** A step that a worker holds although it is not its to run any more. */
export interface StaleHold {
  readonly session: string;
  readonly runId: string;
  readonly stepNo: number;
  readonly dispatchNo: number;
  readonly cancelled: boolean;
}

/** The lease rows of worker sessions. Only the database's clock says when a lease ends. */
export class WorkerSessions {
  constructor(private readonly connection: HotConnection) {}

  /** Renews the leases of these sessions, each named once. Safe to repeat. */
  async beat(beats: readonly Heartbeat[], leaseSeconds: number): Promise<void> {
    if (beats.length === 0) return;
    await this.connection.query(SESSIONS_BEAT, [
      beats.map((beat) => beat.session),
      beats.map((beat) => beat.deploymentId),
      beats.map((beat) => beat.worker),
      beats.map((beat) => beat.concurrency),
      beats.map((beat) => JSON.stringify(beat.kinds)),
      beats.map((beat) => JSON.stringify(beat.held)),
      leaseSeconds,
      beats.map((beat) => beat.begun ?? null),
      beats.map((beat) => beat.beat ?? null),
    ]);
  }

  /** Forgets sessions that said good-bye, and leases that ended more than `keepSeconds` ago. */
  async leave(leaving: readonly Pick<Heartbeat, 'session' | 'deploymentId'>[], keepSeconds: number): Promise<void> {
    await this.connection.query(SESSIONS_LEAVE, [
      leaving.map(({ session }) => session),
      keepSeconds,
      leaving.map(({ deploymentId }) => deploymentId),
    ]);
  }

  /** Of what these heartbeats say they hold, what they should drop. */
  async staleHolds(beats: readonly Heartbeat[]): Promise<StaleHold[]> {
    const held = beats.flatMap((beat) =>
      beat.held.map(([runId, stepNo, dispatchNo]) => ({ session: beat.session, runId, stepNo, dispatchNo })),
    );
    if (held.length === 0) return [];
    const rows = await this.connection.query<{ session: string; run_id: string; step_no: number; dispatch_no: number; state: string }>(
      STEPS_HELD_STALE,
      [
        held.map((hold) => hold.session),
        held.map((hold) => hold.runId),
        held.map((hold) => hold.stepNo),
        held.map((hold) => hold.dispatchNo),
      ],
    );
    return rows.map((row) => ({
      session: row.session,
      runId: row.run_id,
      stepNo: row.step_no,
      dispatchNo: row.dispatch_no,
      cancelled: row.state === 'CANCELLED',
    }));
  }
}
