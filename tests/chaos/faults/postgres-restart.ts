import pg from 'pg';
import type { Fault, World } from '../world/types.ts';
import { letPass, millisecondsOf } from './server-times.ts';

/** More than the server takes (100), and few enough that the machine stays alive. */
const STORM_CLIENTS = 120;
const STORM_MS = 1_500;

/** PostgreSQL is away for seconds (half a minute, scaled), and when it is back, more clients come than it takes. */
const postgresStorm: Fault = {
  id: 'F19',
  name: 'postgres-restart-storm',
  targets: 'postgres',
  inflict: async (world, random) => {
    await world.postgres.stop('fast');
    const holdMs = random.int(3_000, 8_000);
    return {
      what: `stopped PostgreSQL; ${STORM_CLIENTS} clients come when it is back`,
      holdMs,
      heal: async () => {
        const startMs = await millisecondsOf(() => world.postgres.start());
        return { startMs, ...(await storm(world)) };
      },
    };
  },
};

/** A stop in order and a start at once, as at an upgrade. */
const postgresRestart: Fault = {
  id: 'F19',
  name: 'postgres-restart',
  targets: 'postgres',
  inflict: async (world, random) => {
    await world.postgres.stop('fast');
    return {
      what: 'stopped PostgreSQL',
      holdMs: random.int(0, 1_000),
      heal: async () => ({ startMs: await millisecondsOf(() => world.postgres.start()) }),
    };
  },
};

async function storm(world: World): Promise<{ connected: number; refused: number }> {
  const clients = Array.from(
    { length: STORM_CLIENTS },
    () => new pg.Client({ connectionString: world.postgres.ownerUrl, application_name: 'chaos storm', connectionTimeoutMillis: STORM_MS }),
  );
  const came = await Promise.all(
    clients.map((client) => {
      client.on('error', () => undefined);
      return client.connect().then(
        () => true,
        () => false,
      );
    }),
  );
  await letPass(STORM_MS);
  await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
  const connected = came.filter(Boolean).length;
  return { connected, refused: STORM_CLIENTS - connected };
}

export const postgresRestarts: readonly Fault[] = [postgresStorm, postgresRestart];
