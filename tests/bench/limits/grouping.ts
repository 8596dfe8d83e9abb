import { HotConnection, submitRuns, takeRunIds, type NewRun, type RunTarget } from '#store';
import { GroupLane } from '../../../services/api/src/runs/group-lane.ts';
import { figureOf, type Figure } from '../figures.ts';
import type { Ledger } from '../flowforge/audit.ts';
import type { World } from '../flowforge/world.ts';
import { Meter } from '../measure/meter.ts';
import { percentile } from '../measure/statistics.ts';

const LANE = { groupMax: 500, pendingMax: 10_000, lanes: 1 };

/** P11: one submit at a time, by turns through the lane that groups what arrives together and without it: the same statement, a durable commit. */
export async function measureGrouping(world: World, ledger: Ledger, target: RunTarget, submits: number): Promise<Figure> {
  const connection = new HotConnection(world.database.apiUrl, 'bench');
  const runOf = (id: string): NewRun => ({
    id,
    target,
    inputJson: '{}',
    actor: 'bench',
    retryOf: null,
    concurrencyKey: null,
    reason: null,
  });
  const submit = async (runs: readonly NewRun[]) => {
    await submitRuns(connection, runs);
    return runs.map(({ id }) => ({ answer: id }));
  };
  const lane = new GroupLane(submit, LANE);
  return await world.withSchedulerPaused(async () => {
    const ids = await takeRunIds(connection, submits * 2);
    const grouped: number[] = [];
    const alone: number[] = [];
    const meter = Meter.begin({ postgres: world.servers.postgres.pid }, { own: true });
    for (const [at, id] of ids.entries()) {
      const began = performance.now();
      await (at % 2 === 0 ? lane.submit(runOf(id)) : submit([runOf(id)]));
      (at % 2 === 0 ? grouped : alone).push(performance.now() - began);
    }
    const metered = meter.end();
    await connection.close();
    ledger.submitted(ids.length, 1);
    return figureOf('limit', 'grouping', ids.length, metered, { groupedP50Ms: percentile(grouped, 50), aloneP50Ms: percentile(alone, 50) });
  });
}
