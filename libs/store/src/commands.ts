import type { RunState } from '#core';
import type { HotConnection, HotTransaction } from './hot-connection.ts';
import { statement } from './statement.ts';

const LIVE_HOLD = statement('live_hold');
const RUN_CANCEL = statement('run_cancel');
const RUN_HOLD = statement('run_hold');
const RUN_LIVE_RETRY = statement('run_live_retry');

/** A run's state after a command, and whether it was this command that moved it. */
export interface CommandOutcome {
  readonly moved: boolean;
  readonly state: RunState;
  readonly version: number;
}

/** A person's command on one run. */
export interface RunAction {
  readonly runId: string;
  readonly actor: string;
  readonly reason: string | null;
  /** Act only while the run has this version. */
  readonly expectedVersion: number | null;
}

/**
 * Moves a run to CANCELLING when it has not ended and nobody cancelled it before: of any number of calls one moves it. The scheduler ends
 * the steps and the run. `undefined`: there is no such run.
 */
export async function cancelRun(connection: HotConnection, command: RunAction): Promise<CommandOutcome | undefined> {
  const [, rows] = await connection.transaction((tx) =>
    Promise.all([
      tx.query(LIVE_HOLD, [command.runId]),
      tx.query<CommandOutcome>(RUN_CANCEL, [command.runId, command.actor, command.reason, command.expectedVersion]),
    ]),
  );
  return rows[0];
}

/**
 * Holds an ended run's row until the transaction ends, so that retries of one run take turns. Returns the id of an earlier retry that has
 * not ended, null when there is none.
 */
export async function findLiveRetry(tx: HotTransaction, runId: string): Promise<string | null> {
  const [, rows] = await Promise.all([tx.query(RUN_HOLD, [runId]), tx.query<{ id: string }>(RUN_LIVE_RETRY, [runId])]);
  return rows[0]?.id ?? null;
}
