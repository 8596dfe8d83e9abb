import type { ReportMessage, TaskMessage } from '#contracts';
import { stepKey } from '../database/database.ts';

/** What a report told. */
export interface ToldReport {
  readonly key: string;
  readonly token: string;
  /** The output as JSON. */
  readonly output: string;
}

/** What reached the streams: every report by its id, and which tasks. */
export class ReportBook {
  /** Which processes told of a dispatch, by its token. */
  readonly runners = new Map<string, Set<string>>();
  /** Dispatches whose task reached the streams, by token. */
  readonly sent = new Set<string>();
  private readonly byId = new Map<string, ToldReport>();

  /** An entry of the stream, with one report or several. `by`: the process that sent it. */
  note(body: string, by: string): void {
    const told = JSON.parse(body) as ReportMessage | ReportMessage[];
    for (const report of [told].flat()) this.noteOne(report, by);
  }

  private noteOne(report: ReportMessage, by: string): void {
    const { id, runId, stepNo, epoch, dispatchNo } = report;
    const output = JSON.stringify(report.kind === 'ended' ? (report.output ?? null) : null);
    const token = `${stepKey(runId, stepNo)} ${epoch}.${dispatchNo}`;
    this.runners.set(token, (this.runners.get(token) ?? new Set()).add(by));
    this.byId.set(id, { key: stepKey(runId, stepNo), token: `${epoch}.${dispatchNo}`, output });
  }

  noteTask(body: string): void {
    const { runId, stepNo, epoch, dispatchNo } = JSON.parse(body) as TaskMessage;
    this.sent.add(`${stepKey(runId, stepNo)} ${epoch}.${dispatchNo}`);
  }

  find(id: string): ToldReport | undefined {
    return this.byId.get(id);
  }

  get size(): number {
    return this.byId.size;
  }
}
