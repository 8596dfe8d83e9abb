import { setTimeout as pause } from 'node:timers/promises';
import { figureOf, type Figure } from '../figures.ts';
import { residentBytes } from '../measure/cpu-time.ts';
import { Meter } from '../measure/meter.ts';
import { BATCH_ITEMS } from '../sizes.ts';
import { heldRuns } from './definitions.ts';
import type { World } from './world.ts';

const ROLES = ['api', 'scheduler', 'worker'] as const;
const SAMPLES = 20;
const SAMPLE_EVERY_MS = 250;

/**
 * P13: memory of the three processes with many runs in the queue, against the same processes before. They are queued behind a run that waits
 * for an hour. What a submit allocates for a moment is not meant: half of the runs are queued and measured first, so that the heaps have
 * grown as far as submitting makes them. The runs stay: to be measured last.
 */
export async function measureMemory(world: World, queued: number): Promise<Figure> {
  const workflow = await world.stack.api.apply(heldRuns());
  const half = Math.ceil(queued / 2 / BATCH_ITEMS);
  const meter = Meter.begin(world.parts);
  await queue(world, workflow, half);
  const before = await restingMegabytes(world);
  await queue(world, workflow, half);
  const after = await restingMegabytes(world);
  const grown = ROLES.map((role) => [`${role}Megabytes`, after[role]] as const);
  const total = (megabytes: Readonly<Record<(typeof ROLES)[number], number>>) => ROLES.reduce((sum, role) => sum + megabytes[role], 0);
  const growth = total(after) - total(before);
  return figureOf('flowforge', 'MEM', half * BATCH_ITEMS * 2, meter.end(), {
    queued: half * BATCH_ITEMS * 2,
    megabytes: total(after),
    growthMegabytesPer100k: (growth * 100_000) / (half * BATCH_ITEMS),
    growthRatio: total(after) / total(before),
    ...Object.fromEntries(grown),
  });
}

function queue(world: World, workflow: string, batches: number): Promise<unknown> {
  return world.driver.carryOut({ kind: 'many', requests: [world.batchOf(workflow)], count: batches, connections: 1 });
}

/** The least that each process held within some seconds of rest: garbage comes and goes. */
async function restingMegabytes(world: World): Promise<Record<(typeof ROLES)[number], number>> {
  await world.calm(10_000);
  const least = { api: Infinity, scheduler: Infinity, worker: Infinity };
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    for (const role of ROLES) least[role] = Math.min(least[role], residentBytes(world.stack.member(role).pid) / 2 ** 20);
    await pause(SAMPLE_EVERY_MS);
  }
  return least;
}
