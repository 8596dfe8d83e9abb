import type { RunState } from '#core';
import type { HotConnection } from './hot-connection.ts';
import { statement } from './statement.ts';

const LIVE_HOLD = statement('live_hold');
const RUN_CANCEL = statement('run_cancel');

/** A run's state after a command, and whether it was this command that moved it. */
export interface CommandOutcome {
  readonly moved: boolean;
  readonly state: RunState;
  readonly version: number;
}

export interface CancelCommand {
  readonly runId: string;
  readonly actor: string;
  readonly reason: string | null;
  /** Cancel only while the run has this version. */
  readonly expectedVersion: number | null;
}

/**
 * Moves a run to CANCELLING when it has not ended and nobody cancelled it before: of any number of calls one moves it. The scheduler ends
 * the steps and the run. `undefined`: there is no such run.
 */
export async function cancelRun(connection: HotConnection, command: CancelCommand): Promise<CommandOutcome | undefined> {
  const [, rows] = await connection.transaction((tx) =>
    Promise.all([
      tx.query(LIVE_HOLD, [command.runId]),
      tx.query<CommandOutcome>(RUN_CANCEL, [command.runId, command.actor, command.reason, command.expectedVersion]),
    ]),
  );
  return rows[0];
}
