import type { ReportMessage } from '#contracts';
import type { Delivery } from '#transport';
import type { Database } from '../database/database.ts';
import { stepKey } from '../database/database.ts';
import type { Rules } from '../database/rules.ts';

type Handle = (batch: readonly Delivery[]) => Promise<void>;

/** How reports are applied in a world that leaves rules out; in any other world, the handler itself. */
export function withoutRules(broken: Rules, database: Database, handle: Handle): Handle {
  if (broken.has('token check')) return (batch) => handle(batch.map((delivery) => withNewestToken(database, delivery)));
  if (broken.has('commit before ack')) return (batch) => Promise.resolve(void handle(batch).catch(() => undefined));
  return handle;
}

/** The reports of a delivery as if they came from the present dispatch. */
function withNewestToken(database: Database, delivery: Delivery): Delivery {
  const told = JSON.parse(delivery.body) as ReportMessage | ReportMessage[];
  const newest = [told].flat().map((report) => {
    const step = database.steps.committed.get(stepKey(report.runId, report.stepNo));
    return step ? { ...report, epoch: database.epoch, dispatchNo: step.dispatchNo } : report;
  });
  return { ...delivery, body: JSON.stringify(newest) };
}
