import { setTimeout as pause } from 'node:timers/promises';
import { figureOf, type Figure } from '../figures.ts';
import type { Outcome, Request } from '../load/messages.ts';
import { median, percentile } from '../measure/statistics.ts';
import { Meter, totalCpuMs } from '../measure/meter.ts';
import { CHAIN_LENGTH, GAP_MS } from '../sizes.ts';
import type { Ledger } from './audit.ts';
import { markedChainOf, markedFanOf, markedStep, singleStep } from './definitions.ts';
import type { World } from './world.ts';

const SYSTEM = 'flowforge';
const WITHIN_MS = 60_000;
/** Starts that come before those that count: step processes begin, connections open. */
const UNCOUNTED = 5;

/** From the POST to the moment in which the last of ten steps, user code, runs; one chain at a time on an idle system. */
export async function measureIdleChains(world: World, ledger: Ledger, chains: number): Promise<Figure> {
  return await startsOneByOne(world, ledger, {
    workload: 'W2-idle',
    definition: markedChainOf(CHAIN_LENGTH, world.driver.marksPath),
    runs: chains,
    steps: CHAIN_LENGTH,
  });
}

/** From the POST to the moment in which the run's step, user code, runs; one run at a time, with the peers' gap. */
export async function measureStarts(world: World, ledger: Ledger, runs: number): Promise<Figure> {
  return await startsOneByOne(world, ledger, { workload: 'W3', definition: markedStep(world.driver.marksPath), runs, steps: 1 });
}

/** From the POST to the moment in which the join of `width` parallel steps runs. Processor time is per branch. */
export async function measureFan(world: World, ledger: Ledger, width: number, runs: number): Promise<Figure> {
  const workflow = await world.stack.api.apply(markedFanOf(width, world.driver.marksPath));
  await world.calm();
  const took: number[] = [];
  const meter = Meter.begin(world.parts);
  for (let at = 0; at < runs; at += 1) {
    const { latenciesMs } = await marked(world, world.startOf(workflow), 1);
    took.push(...latenciesMs);
    await world.drained();
  }
  const metered = meter.end();
  ledger.submitted(runs, width + 1);
  const ms = median(took);
  return figureOf(SYSTEM, `W4-${width}`, width * runs, metered, { runs, width, ms, stepsPerSecond: (width * 1000) / ms });
}

/** From the POST to its answer, one at a time, nothing else going on. */
export async function measureIdleSubmits(world: World, ledger: Ledger, runs: number): Promise<Figure> {
  const requests = [world.startOf(await world.stack.api.apply(singleStep()))];
  await world.calm();
  const meter = Meter.begin(world.parts);
  const { latenciesMs } = await world.withSchedulerPaused(() =>
    world.driver.carryOut({ kind: 'many', requests, count: runs, connections: 1 }),
  );
  const metered = meter.end();
  ledger.submitted(runs, 1);
  await world.drained();
  return figureOf(SYSTEM, 'IDLE', runs, metered, { runs, p50Ms: percentile(latenciesMs, 50), p99Ms: percentile(latenciesMs, 99) });
}

/** What the processes take while nothing is to be done, as a share of one processor. */
export async function measureRest(world: World, seconds: number): Promise<Figure> {
  await world.calm();
  const meter = Meter.begin(world.parts);
  await pause(seconds * 1000);
  const metered = meter.end();
  return figureOf(SYSTEM, 'REST', Math.max(1, Math.round(seconds * 1000)), metered, {
    processorPercent: totalCpuMs(metered) / metered.seconds / 10,
  });
}

interface Starts {
  readonly workload: string;
  readonly definition: string;
  readonly runs: number;
  readonly steps: number;
}

async function startsOneByOne(world: World, ledger: Ledger, { workload, definition, runs, steps }: Starts): Promise<Figure> {
  const request = world.startOf(await world.stack.api.apply(definition));
  await marked(world, request, UNCOUNTED);
  await world.drained();
  await world.calm();
  const meter = Meter.begin(world.parts);
  const { latenciesMs } = await marked(world, request, runs);
  await world.drained();
  const metered = meter.end();
  ledger.submitted(runs + UNCOUNTED, steps);
  return figureOf(SYSTEM, workload, runs * steps, metered, {
    runs,
    p50Ms: percentile(latenciesMs, 50),
    p95Ms: percentile(latenciesMs, 95),
    p99Ms: percentile(latenciesMs, 99),
  });
}

function marked(world: World, request: Request, count: number): Promise<Outcome> {
  return world.driver.carryOut({ kind: 'starts', request, count, gapMs: GAP_MS, withinMs: WITHIN_MS });
}
