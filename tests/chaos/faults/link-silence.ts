import { performance } from 'node:perf_hooks';
import type { Fault, LinkName, Measures, Member, World } from '../world/types.ts';
import { shuffled } from './process-choice.ts';
import { measured, untilLight, type Light } from './process-readiness.ts';

/** A half-open link must show within these bounds (I11), and must heal by itself. */
export const RED_WITHIN_MS = 10_000;
export const GREEN_WITHIN_MS = 15_000;
/** What is measured beyond the bound, so that a report tells by how much it was missed. */
const BEYOND_MS = 5_000;

/** The api accepts without Redis: it says so, and stays ready. */
function badLights(name: LinkName): readonly Light[] {
  return name.startsWith('api') && name.endsWith('redis') ? ['degraded', 'red'] : ['red'];
}

/**
 * A link goes silent in both directions, without an end: nothing arrives, nothing is refused. Held until the member's readiness shows it; then
 * the link is well again for new connections, while the old ones stay silent for ever.
 */
function halfOpen(server: 'postgres' | 'redis', role: Member['role']): Fault {
  return {
    id: 'F13',
    name: `half-open-${role}-${server}`,
    targets: 'link',
    inflict: async (world, random) => {
      const member = random.pick(world.members(role));
      const name: LinkName = `${member.name} > ${server}`;
      world.link(name).blackhole();
      const shown = untilLight(member, badLights(name), RED_WITHIN_MS + BEYOND_MS);
      await Promise.resolve();
      return { what: `${name} is half open`, holdMs: 0, heal: () => healWhenShown(world, member, name, shown) };
    },
  };
}

async function healWhenShown(world: World, member: Member, name: LinkName, shown: Promise<number | null>): Promise<Measures> {
  const redAfterMs = await shown;
  world.link(name).heal();
  const greenAfterMs = await untilLight(member, ['green'], GREEN_WITHIN_MS + BEYOND_MS, performance.now());
  return {
    redAfterMs: measured(redAfterMs, RED_WITHIN_MS + BEYOND_MS),
    greenAfterMs: measured(greenAfterMs, GREEN_WITHIN_MS + BEYOND_MS),
  };
}

export const halfOpenLinks: readonly Fault[] = [
  halfOpen('postgres', 'api'),
  halfOpen('redis', 'api'),
  halfOpen('postgres', 'scheduler'),
  halfOpen('redis', 'scheduler'),
  halfOpen('redis', 'worker'),
];

/** Two to five links at once are cut one by one, each with silence or with a reset; they heal in another order (FoundationDB's swizzle). */
export const linkSwizzle: Fault = {
  id: 'F43',
  name: 'link-swizzle',
  targets: 'link',
  inflict: async (world, random) => {
    const names = memberLinks(world);
    const chosen = shuffled(names, random).slice(0, random.int(2, 5));
    for (const name of chosen) {
      world.link(name).blackhole();
      if (random.chance(0.5)) world.link(name).reset();
      await pause(random.int(100, 800));
    }
    return {
      what: `cut ${chosen.join(', ')} one by one`,
      holdMs: random.int(300, 3_000),
      heal: async () => {
        for (const name of shuffled(chosen, random)) {
          world.link(name).heal();
          await pause(random.int(100, 800));
        }
        return { links: chosen.length };
      },
    };
  },
};

/** The links between members and servers. */
export function memberLinks(world: World): readonly LinkName[] {
  return world.linkNames().filter((name) => /^(api|scheduler|worker) \d+ > (postgres|redis)$/.test(name));
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
