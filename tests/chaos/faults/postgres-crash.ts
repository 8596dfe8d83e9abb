import { eventually } from '#testing';
import { type Fault, FaultNotPossible, type World } from '../world/types.ts';
import { millisecondsOf } from './server-times.ts';

const AWAY_MS_MAX = 2_500;

/** The server ends without taking leave; then it starts again and recovers from its log. */
function crash(name: string, what: string, end: (world: World) => Promise<void>): Fault {
  return {
    id: 'F18',
    name,
    targets: 'postgres',
    inflict: async (world, random) => {
      await end(world);
      return {
        what,
        holdMs: random.int(200, AWAY_MS_MAX),
        heal: async () => ({ recoveredMs: await millisecondsOf(() => world.postgres.start()) }),
      };
    },
  };
}

const postgresKill = crash('postgres-kill', 'killed the postmaster', (world) => world.postgres.kill());
const postgresImmediate = crash('postgres-immediate', 'immediate stop of PostgreSQL', (world) => world.postgres.stop('immediate'));

/** One session's process dies by SIGKILL: the server throws out everybody and recovers. */
const postgresBackendKill: Fault = {
  id: 'F18',
  name: 'postgres-backend-kill',
  targets: 'postgres',
  inflict: async (world, random) => {
    const victim = await world.postgres.killBackend(random);
    if (!victim) throw new FaultNotPossible('No service has a session.');
    const recovered = millisecondsOf(() =>
      eventually(async () => (await world.postgres.sql('select 1 as one')).length === 1, {
        within: 30_000,
        every: 20,
        what: 'the recovery',
      }),
    );
    return { what: `killed the session ${victim.pid} of ${victim.name}`, holdMs: 0, heal: async () => ({ recoveredMs: await recovered }) };
  },
};

export const postgresCrashes: readonly Fault[] = [postgresKill, postgresImmediate, postgresBackendKill];
