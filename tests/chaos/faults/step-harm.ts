import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import type { Fault, Measures, Random, World } from '../world/types.ts';
import { residentMegabytes } from './process-memory.ts';
import { endOfOwnRun, oneStep, startOwnRun } from './step-runs.ts';

const LEASES_BLOCKED = 3;
const WORKERS_KILLED_MAX = 3;
const FLOOD_MEGABYTES = 20;

interface Harm {
  readonly what: string;
  readonly source: string;
  readonly input: unknown;
}

/** A run of ours whose step does harm to whoever runs it, started by the front door; healed when it has ended. */
function harm(
  id: Fault['id'],
  name: string,
  of: (world: World, random: Random) => Promise<Harm> | Harm,
  measure: (world: World) => Promise<Measures> = noMore,
): Fault {
  return {
    id,
    name,
    targets: 'message',
    inflict: async (world, random) => {
      const { what, source, input } = await of(world, random);
      const before = measure(world);
      const runId = await startOwnRun(world, source, input);
      return {
        what: `${what} (run ${runId})`,
        holdMs: 0,
        heal: async () => {
          const end = await endOfOwnRun(world, runId);
          return { ...end, ...(await attemptsOf(world, runId)), ...difference(await before, await measure(world)) };
        },
      };
    },
  };
}

const noMore = (): Promise<Measures> => Promise.resolve({});

/** Its worker's heartbeats must not depend on it: one dispatch, and no worker lost. */
const stepBlocks = harm('F04', 'step-blocks', ({ times }) => ({
  what: `a step that never yields for ${LEASES_BLOCKED} leases`,
  source: oneStep('block', 'chaos/block'),
  input: { ms: times.leaseSeconds * LEASES_BLOCKED * 1_000 },
}));

/** Ends the worker that runs it, a few times over; then it is well. */
const stepKillsWorker = harm('F29', 'step-kills-worker', async (world, random) => {
  const times = random.int(1, WORKERS_KILLED_MAX);
  return {
    what: `a step that kills its worker ${times} times`,
    source: oneStep('kill-worker', 'chaos/kill-worker'),
    input: { folder: await mkdtemp(join(world.folder, 'poison-')), times },
  };
});

/** Exit code 137 in every attempt, as for one that is beyond its memory: FAILED after the last one. */
const stepDies = harm('F05', 'step-dies', () => ({
  what: 'a step whose process dies in each of 4 attempts',
  source: oneStep('die', 'chaos/die', ', retry: { attempts: 4, backoff: 100ms, maxBackoff: 500ms }'),
  input: {},
}));

const logFlood = harm(
  'F34',
  'log-flood',
  () => ({
    what: `a step that logs ${FLOOD_MEGABYTES} MB, a fourth of it in one line`,
    source: oneStep('flood', 'chaos/flood'),
    input: { megabytes: FLOOD_MEGABYTES },
  }),
  async (world) => ({ workerRssMb: await residentMegabytes(world.members('worker')) }),
);

export const stepHarms: readonly Fault[] = [stepBlocks, stepKillsWorker, stepDies, logFlood];

async function attemptsOf(world: World, runId: string): Promise<Measures> {
  const [row] = await world.postgres
    .sql<{ attempt: number; dispatches: number; losses: number; reason: string | null }>(
      `select attempt, dispatch_no as dispatches, worker_losses as losses, reason from step_runs where run_id = $1`,
      [runId],
    )
    .catch(() => []);
  return row ? { attempt: row.attempt, dispatches: row.dispatches, losses: row.losses, reason: row.reason ?? '' } : {};
}

function difference(before: Measures, after: Measures): Measures {
  return Object.fromEntries(
    Object.entries(after).flatMap(([name, value]) => [
      [name, value],
      [`${name}Grown`, Number(value) - Number(before[name] ?? 0)],
    ]),
  );
}
