import type { LinkWeather } from '#testing';
import type { Fault, LinkName, Random, World } from '../world/types.ts';
import { memberLinks } from './link-silence.ts';
import { someOf } from './process-choice.ts';

type Weather = Omit<LinkWeather, 'dice'>;

/** A time of bad weather on some links: everything arrives, but late, slowly, in crumbs, or after a reset. */
function weather(name: string, what: string, of: Weather, count: (links: number) => number): Fault {
  return {
    id: 'F14',
    name,
    targets: 'link',
    inflict: (world, random) => {
      const chosen = someOf(memberLinks(world), count(memberLinks(world).length), random);
      for (const link of chosen) world.link(link).weather = { ...of, dice: () => random.next() };
      return Promise.resolve({
        what: `${what} on ${chosen.join(', ')}`,
        holdMs: random.int(3_000, 8_000),
        heal: () => clearUp(world, chosen),
      });
    },
  };
}

function clearUp(world: World, links: readonly LinkName[]): Promise<{ links: number }> {
  for (const link of links) world.link(link).heal();
  return Promise.resolve({ links: links.length });
}

const half = (links: number): number => Math.ceil(links / 2);
const few = (): number => 3;

export const linkLatency = weather('link-latency', '100 to 900 ms for each piece', { latency: [100, 900] }, half);
export const linkNarrow = weather('link-narrow', '10 kB/s', { bytesPerSecond: 10_000 }, few);
export const linkResets = weather('link-resets', 'a reset of each twentieth piece', { resetChance: 0.05 }, half);
export const linkSliced = weather('link-sliced', 'pieces of at most 13 bytes', { pieceBytesMax: 13, latency: [0, 2] }, few);

/** Every connection of one link is ended again and again: FIN or RST. */
export const linkFlapping: Fault = {
  id: 'F14',
  name: 'link-flapping',
  targets: 'link',
  inflict: (world, random) => {
    const name = random.pick(memberLinks(world));
    let ends = 0;
    const timer = setInterval(
      () => {
        ends += 1;
        flap(world, name, random);
      },
      random.int(150, 700),
    );
    return Promise.resolve({
      what: `${name} ends again and again`,
      holdMs: random.int(2_000, 5_000),
      heal: () => {
        clearInterval(timer);
        return Promise.resolve({ ends });
      },
    });
  },
};

function flap(world: World, name: LinkName, random: Random): void {
  if (random.chance(0.5)) world.link(name).reset();
  else world.link(name).cut();
}
