import type { Fault, LinkName, Random, World } from '../world/types.ts';

/** Answers that are swallowed at most in one go: more would only be an outage. */
const ANSWERS_MAX = 5;

type Choose = (world: World, random: Random) => LinkName;

/**
 * A request passes and is served, and before its answer arrives the link is reset: whoever asked cannot know what became of it. `pattern` is a
 * text in the request.
 */
function swallowing(name: string, pattern: string, choose: Choose): Fault {
  return {
    id: 'F03',
    name,
    targets: 'link',
    inflict: (world, random) => {
      const link = choose(world, random);
      const wanted = random.int(1, ANSWERS_MAX);
      const swallowed = world.link(link).swallowAnswers(pattern, wanted);
      return Promise.resolve({
        what: `${link}: up to ${wanted} answers to "${pattern}" are swallowed`,
        holdMs: random.int(1_000, 4_000),
        heal: () => {
          world.link(link).heal();
          return Promise.resolve({ swallowed: swallowed() });
        },
      });
    },
  };
}

const of =
  (role: 'api' | 'scheduler' | 'worker', server: 'postgres' | 'redis'): Choose =>
  (world, random) =>
    `${random.pick(world.members(role)).name} > ${server}`;

export const lostAnswers: readonly Fault[] = [
  swallowing('lost-commit-scheduler', 'commit', of('scheduler', 'postgres')),
  swallowing('lost-commit-api', 'commit', of('api', 'postgres')),
  swallowing('lost-insert-api', 'runs_submit', of('api', 'postgres')),
  swallowing('lost-answer-caller', 'POST ', (world, random) => `world > ${random.pick(world.members('api')).name}` as LinkName),
  swallowing('lost-add-scheduler', 'xadd', of('scheduler', 'redis')),
  swallowing('lost-report-worker', 'EXEC', of('worker', 'redis')),
  swallowing('lost-read-worker', 'XREADGROUP', of('worker', 'redis')),
  swallowing('lost-read-scheduler', 'XREADGROUP', of('scheduler', 'redis')),
];
