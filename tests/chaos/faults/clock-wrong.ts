import type { Fault, Member, Random, World } from '../world/types.ts';
import { allReady, startAllAgain } from './process-healing.ts';
import { performance } from 'node:perf_hooks';

/** What `clock-preload.mjs` does to the wall clock of the process that it is loaded into. */
interface WrongClock {
  readonly offsetMs?: number;
  readonly rate?: number;
  readonly jumpMs?: number;
  readonly jumpEveryMs?: number;
}

const HOUR_MS = 3_600_000;
const PRELOAD = new URL('clock-preload.mjs', import.meta.url).href;

/** One process starts again with a wall clock that is wrong, then with the right one. Only the database's clock decides about leases and timers. */
function wrongClock(name: string, what: string, clockOf: (world: World, random: Random) => WrongClock): Fault {
  return {
    id: 'F25',
    name,
    targets: 'clock',
    inflict: async (world, random) => {
      const victim = random.pick(world.members());
      await startWith(victim, clockOf(world, random));
      return {
        what: `${victim.name}'s clock ${what}`,
        holdMs: random.int(2, 6) * world.times.leaseSeconds * 1_000,
        heal: () => startAllAgain([victim]),
      };
    },
  };
}

async function startWith(member: Member, clock: WrongClock): Promise<void> {
  const began = performance.now();
  await member.startAgain({ wait: false, env: { NODE_OPTIONS: `--import=${PRELOAD}`, CHAOS_CLOCK: JSON.stringify(clock) } });
  await allReady([member], began);
}

const either = (random: Random): number => (random.chance(0.5) ? HOUR_MS : -HOUR_MS);

export const wrongClocks: readonly Fault[] = [
  wrongClock('clock-hour', 'is an hour off', (_, random) => ({ offsetMs: either(random) })),
  wrongClock('clock-day', 'is a day ahead', () => ({ offsetMs: 24 * HOUR_MS })),
  wrongClock('clock-drift', 'goes twice as fast', () => ({ rate: 2 })),
  wrongClock('clock-jump', 'jumps by an hour, to and fro, within each lease', ({ times }, random) => ({
    jumpMs: either(random),
    jumpEveryMs: times.leaseSeconds * 700,
  })),
];
