import { figureOf, type Figure } from '../figures.ts';
import { percentile } from '../measure/statistics.ts';
import { Meter } from '../measure/meter.ts';
import { BATCH_ITEMS, CHAIN_LENGTH, CONNECTIONS } from '../sizes.ts';
import { newestRun, type Ledger } from './audit.ts';
import { chainOf, singleStep } from './definitions.ts';
import type { World } from './world.ts';

const SYSTEM = 'flowforge';

/** Runs before the measuring begins, one POST each. */
export async function warmUp(world: World, ledger: Ledger, runs: number): Promise<void> {
  const requests = [world.startOf(await world.stack.api.apply(singleStep()))];
  await world.driver.carryOut({ kind: 'many', requests, count: runs, connections: CONNECTIONS });
  ledger.submitted(runs, 1);
  await world.drained();
}

/** P1, P2, P12: submits alone, while the scheduler stands still; afterwards the queue is worked off (`DRAIN`). */
export async function measureSubmits(world: World, ledger: Ledger, singles: number, bulk: number): Promise<Figure[]> {
  const workflow = await world.stack.api.apply(singleStep());
  await world.calm();
  const figures = await world.withSchedulerPaused(async () => [
    await submitSingly(world, workflow, singles),
    await submitInBulk(world, workflow, bulk),
  ]);
  return [...figures, await workOff(world, ledger, 'DRAIN', singles + bulk)];
}

/** P15: the queue is filled while the scheduler stands still, then worked off, which alone is measured. */
export async function measureDrain(world: World, ledger: Ledger, workload: string, runs: number): Promise<Figure> {
  const requests = [world.batchOf(await world.stack.api.apply(singleStep()))];
  await world.calm();
  await world.withSchedulerPaused(() => world.driver.carryOut({ kind: 'many', requests, count: runs / BATCH_ITEMS, connections: 2 }));
  return await workOff(world, ledger, workload, runs);
}

async function workOff(world: World, ledger: Ledger, workload: string, runs: number): Promise<Figure> {
  ledger.submitted(runs, 1);
  const meter = Meter.begin(world.parts);
  await world.drained();
  const metered = meter.end();
  return figureOf(SYSTEM, workload, runs, metered, { runs, runsPerSecond: runs / metered.seconds });
}

async function submitSingly(world: World, workflow: string, count: number): Promise<Figure> {
  const meter = Meter.begin(world.parts);
  const { seconds, latenciesMs } = await world.driver.carryOut({
    kind: 'many',
    requests: [world.startOf(workflow)],
    count,
    connections: CONNECTIONS,
  });
  const values = { runs: count, submitPerSecond: count / seconds, p50Ms: percentile(latenciesMs, 50), p99Ms: percentile(latenciesMs, 99) };
  return figureOf(SYSTEM, 'S1', count, meter.end(), values);
}

async function submitInBulk(world: World, workflow: string, count: number): Promise<Figure> {
  const bytesBefore = await world.databaseBytes();
  const meter = Meter.begin(world.parts);
  const { seconds } = await world.driver.carryOut({
    kind: 'many',
    requests: [world.batchOf(workflow)],
    count: count / BATCH_ITEMS,
    connections: 2,
  });
  const metered = meter.end();
  const bytesPerRun = ((await world.databaseBytes()) - bytesBefore) / count;
  return figureOf(SYSTEM, 'S1b', count, metered, { runs: count, submitPerSecond: count / seconds, bytesPerRun });
}

/** Runs of one step, submitted one by one, until all have ended durably. */
export async function measureW1(world: World, ledger: Ledger, runs: number): Promise<Figure> {
  return await toTheEnd(world, ledger, { workload: 'W1', definition: singleStep(), runs, stepsPerRun: 1, perRequest: 1 });
}

/** The same, a thousand in a request. */
export async function measureW1b(world: World, ledger: Ledger, runs: number): Promise<Figure> {
  return await toTheEnd(world, ledger, { workload: 'W1b', definition: singleStep(), runs, stepsPerRun: 1, perRequest: BATCH_ITEMS });
}

/** Chains of ten steps, submitted one by one. Processor time is per step. */
export async function measureW2(world: World, ledger: Ledger, runs: number): Promise<Figure> {
  return await toTheEnd(world, ledger, {
    workload: 'W2',
    definition: chainOf(CHAIN_LENGTH),
    runs,
    stepsPerRun: CHAIN_LENGTH,
    perRequest: 1,
  });
}

interface Load {
  readonly workload: string;
  readonly definition: string;
  readonly runs: number;
  readonly stepsPerRun: number;
  readonly perRequest: number;
}

async function toTheEnd(world: World, ledger: Ledger, { workload, definition, runs, stepsPerRun, perRequest }: Load): Promise<Figure> {
  const workflow = await world.stack.api.apply(definition);
  await world.calm();
  const newest = await newestRun(world.owner);
  const request = perRequest === 1 ? world.startOf(workflow) : world.batchOf(workflow, perRequest);
  const connections = perRequest === 1 ? CONNECTIONS : 2;
  const meter = Meter.begin(world.parts);
  const submitted = await world.driver.carryOut({ kind: 'many', requests: [request], count: runs / perRequest, connections });
  await world.drained();
  const metered = meter.end();
  ledger.submitted(runs, stepsPerRun);
  const steps = runs * stepsPerRun;
  return figureOf(SYSTEM, workload, steps, metered, {
    runs,
    submitPerSecond: runs / submitted.seconds,
    runsPerSecond: runs / metered.seconds,
    stepsPerSecond: steps / metered.seconds,
    transitionsPerSecond: (3 * (runs + steps)) / metered.seconds,
    submitP50Ms: percentile(submitted.latenciesMs, 50),
    submitP99Ms: percentile(submitted.latenciesMs, 99),
    ...(await runTimes(world, newest)),
  });
}

/** From creation to end of the runs after this one, by the database's clock. */
async function runTimes(world: World, after: string): Promise<{ runP50Ms: number; runP95Ms: number; runP99Ms: number }> {
  const { rows } = await world.owner.query<{ p50: number; p95: number; p99: number }>(
    `select p[1] as p50, p[2] as p95, p[3] as p99 from (
       select percentile_cont(array[0.5, 0.95, 0.99]) within group (order by extract(epoch from ended_at - created_at)::float8 * 1000) as p
         from workflow_runs where id > $1::uuid) as times`,
    [after],
  );
  return { runP50Ms: rows[0]?.p50 ?? Number.NaN, runP95Ms: rows[0]?.p95 ?? Number.NaN, runP99Ms: rows[0]?.p99 ?? Number.NaN };
}
