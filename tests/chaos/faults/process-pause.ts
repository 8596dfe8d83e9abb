import type { Fault, Member, Random, World } from '../world/types.ts';
import { leaderOf, namesOf, someOf } from './process-choice.ts';
import { letAllGoOn } from './process-healing.ts';

type Choose = (world: World, random: Random) => Promise<readonly Member[]> | readonly Member[];

/** How many leases a process is held: long enough that all it held has been given to others, who may have ended it. */
const LEASES_HELD = 3;

/** SIGSTOP for three leases, then SIGCONT: what goes on then believes in leases that are long over. */
function pausing(id: Fault['id'], name: string, choose: Choose): Fault {
  return {
    id,
    name,
    targets: 'process',
    inflict: async (world, random) => {
      const victims = await choose(world, random);
      for (const victim of victims) victim.pause();
      return {
        what: `paused ${namesOf(victims)}`,
        holdMs: Math.round(world.times.leaseSeconds * LEASES_HELD * 1_000),
        heal: () => letAllGoOn(victims),
      };
    },
  };
}

export const workerPause = pausing('F02', 'worker-pause', (world, random) => [random.pick(world.members('worker'))]);
export const workersPause = pausing('F02', 'workers-pause-two', (world, random) => someOf(world.members('worker'), 2, random));
export const schedulerPause = pausing('F02', 'scheduler-pause', (world, random) => [random.pick(world.members('scheduler'))]);
export const leaderPause = pausing('F30', 'leader-pause', async (world, random) => [await leaderOf(world, random)]);
export const schedulersPause = pausing('F30', 'schedulers-pause-all', (world) => world.members('scheduler'));
export const apiPause = pausing('F02', 'api-pause', (world, random) => [random.pick(world.members('api'))]);
