import type { Fault, Member, Random, World } from '../world/types.ts';
import { namesOf, someOf } from './process-choice.ts';
import { orHeal, startAllAgain } from './process-healing.ts';

type Choose = (world: World, random: Random) => readonly Member[];

/** SIGKILL for those that are chosen; they are started again after a while. */
function killing(id: Fault['id'], name: string, choose: Choose): Fault {
  return {
    id,
    name,
    targets: 'process',
    inflict: async (world, random) => {
      const victims = choose(world, random);
      const heal = () => startAllAgain(victims);
      const holdMs = random.int(200, 3_000);
      const endings = await orHeal(() => Promise.all(victims.map((victim) => victim.kill('SIGKILL'))), heal);
      return {
        what: `killed ${namesOf(victims)}`,
        holdMs,
        heal: async () => ({ exitCode: [...new Set(endings.map(({ code }) => code))].join(', '), ...(await heal()) }),
      };
    },
  };
}

export const processKill = killing('F07', 'process-kill', (world, random) => [random.pick(world.members())]);
export const processKillTwo = killing('F07', 'process-kill-two', (world, random) => someOf(world.members(), 2, random));
export const processKillSchedulers = killing('F30', 'schedulers-kill-all', (world) => world.members('scheduler'));
export const processKillWorkers = killing('F07', 'workers-kill-all', (world) => world.members('worker'));
