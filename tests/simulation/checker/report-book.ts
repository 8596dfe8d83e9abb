import { ReportMessage } from '#contracts';
import { stepKey } from '../database/database.ts';

/** What a report told. */
export interface ToldReport {
  readonly key: string;
  readonly token: string;
  /** The output as JSON. */
  readonly output: string;
}

/** Every report that a worker handed to the streams, by its id. */
export class ReportBook {
  private readonly byId = new Map<string, ToldReport>();

  note(body: string): void {
    const report = ReportMessage.parse(JSON.parse(body));
    const { id, runId, stepNo, epoch, dispatchNo } = report;
    const output = JSON.stringify(report.kind === 'ended' ? (report.output ?? null) : null);
    this.byId.set(id, { key: stepKey(runId, stepNo), token: `${epoch}.${dispatchNo}`, output });
  }

  find(id: string): ToldReport | undefined {
    return this.byId.get(id);
  }

  get size(): number {
    return this.byId.size;
  }
}
