import type { HotConnection } from '../hot-connection.ts';
import { statement } from '../statement.ts';

const LOGS_WRITE = statement('logs_write');

export interface LogRow {
  readonly runId: string;
  readonly stepNo: number;
  readonly attempt: number;
  readonly dispatchNo: number;
  readonly line: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly level: string;
  readonly text: string;
}

/** Writes log lines of the runs of one deployment; lines of other deployments' runs are left out. A redelivered line is written once. */
export async function writeLogs(connection: HotConnection, deploymentId: string, rows: readonly LogRow[]): Promise<void> {
  await connection.query(LOGS_WRITE, [
    rows.map((row) => row.runId),
    rows.map((row) => row.stepNo),
    rows.map((row) => row.attempt),
    rows.map((row) => row.dispatchNo),
    rows.map((row) => row.line),
    rows.map((row) => row.at),
    rows.map((row) => row.level),
    rows.map((row) => row.text),
    deploymentId,
  ]);
}
