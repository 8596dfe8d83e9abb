import type { Figure } from './figures.ts';
import type { Ledger } from './flowforge/audit.ts';
import { singleStep } from './flowforge/definitions.ts';
import { measureFan, measureIdleChains, measureIdleSubmits, measureRest, measureStarts } from './flowforge/latency.ts';
import { measureMemory } from './flowforge/memory.ts';
import { targetOf } from './flowforge/target.ts';
import { measureSubmits, measureW1, measureW1b, measureW2 } from './flowforge/throughput.ts';
import type { World } from './flowforge/world.ts';
import { measureBatch } from './limits/batch.ts';
import { measureColdStart } from './limits/cold-start.ts';
import { measureGrouping } from './limits/grouping.ts';
import { measureBareHttp, measureGroupInsert } from './limits/http.ts';
import { measureCommit, measureInsert } from './limits/insert.ts';
import { measureStream, measureWakeup } from './limits/redis.ts';
import { measureMachine } from './limits/machine.ts';
import { measureResolve } from './limits/resolve.ts';
import { measureStateMachine } from './limits/state-machine.ts';
import type { Sizes } from './sizes.ts';

/** A piece of a round: the names of the figures that come of it, and the work. */
export interface RoundStep {
  readonly names: readonly string[];
  readonly measure: () => Promise<readonly Figure[]>;
}

/** A round in its order: limits between workloads, so that both meet the same machine. The last leaves runs in the queue for ever. */
export function roundSteps(world: World, ledger: Ledger, limitsUrl: string, sizes: Sizes): RoundStep[] {
  const { postgres, redis } = world.servers;
  const seconds = sizes.limitSeconds;
  const one = (name: string, measure: () => Figure | Promise<Figure>): RoundStep => ({
    names: [name],
    measure: async () => [await measure()],
  });
  return [
    one('machine', () => measureMachine()),
    one('batch', () => measureBatch(limitsUrl, postgres.pid, seconds)),
    { names: ['S1', 'S1b', 'DRAIN'], measure: () => measureSubmits(world, ledger, sizes.submits, sizes.bulkSubmits) },
    { names: ['http', 'http-idle'], measure: () => measureBareHttp(world.driver, seconds) },
    one('W1', () => measureW1(world, ledger, sizes.single)),
    one('http-group-insert', () => measureGroupInsert(world.driver, limitsUrl, postgres.pid, seconds)),
    one('W1b', () => measureW1b(world, ledger, sizes.bulk)),
    one('insert', () => measureInsert(limitsUrl, postgres.pid, seconds)),
    one('W2', () => measureW2(world, ledger, sizes.chains)),
    one('stream', () => measureStream(redis.url, redis.pid, seconds)),
    ...sizes.fans.map(({ width, runs }) => one(`W4-${width}`, () => measureFan(world, ledger, width, runs))),
    one('state-machine', () => measureStateMachine(world, ledger, seconds)),
    one('commit', () => measureCommit(limitsUrl, postgres.pid)),
    one('wake-up', () => measureWakeup(redis.url, redis.pid)),
    one('REST', () => measureRest(world, seconds)),
    one('IDLE', () => measureIdleSubmits(world, ledger, sizes.idleSubmits)),
    one('W3', () => measureStarts(world, ledger, sizes.starts)),
    one('W2-idle', () => measureIdleChains(world, ledger, sizes.idleChains)),
    one('grouping', async () =>
      measureGrouping(world, ledger, await targetOf(world, await world.stack.api.apply(singleStep())), sizes.idleSubmits),
    ),
    one('resolve', () => measureResolve()),
    one('cold-start', () => measureColdStart(world, sizes.apiStarts)),
    ...(sizes.queued > 0 ? [one('MEM', () => measureMemory(world, sizes.queued))] : []),
  ];
}

/** The only step that leaves runs which have not ended. */
export const LEAVES_RUNS = 'MEM';
