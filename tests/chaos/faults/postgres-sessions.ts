import type { Fault, World } from '../world/types.ts';
import { withClient } from '../world/with-client.ts';
import { letPass } from './server-times.ts';

const SERVICES = `datname = 'flowforge' and usename in ('flowforge_api', 'flowforge_scheduler')`;
const STRIKE_EVERY_MS = 5;

/** Strikes again and again at sessions of the services, in ways that an administrator or a timeout does. */
function striking(name: string, verb: string, sql: string, times: { readonly max: number; readonly everyMs: number }): Fault {
  return {
    id: 'F20',
    name,
    targets: 'postgres',
    inflict: async (world, random) => {
      const lastsMs = random.int(800, 3_000);
      const struck = await strikeFor(world, sql, { ...times, lastsMs });
      return { what: `${verb} ${struck} times in ${lastsMs} ms`, holdMs: 0, heal: () => Promise.resolve({ struck }) };
    },
  };
}

async function strikeFor(
  world: World,
  sql: string,
  { max, everyMs, lastsMs }: { max: number; everyMs: number; lastsMs: number },
): Promise<number> {
  return await withClient(world.postgres.superuserUrl, async (client) => {
    let struck = 0;
    for (const until = performance.now() + lastsMs; performance.now() < until && struck < max;) {
      struck += (await client.query(sql)).rowCount ?? 0;
      await letPass(everyMs);
    }
    return struck;
  });
}

export const postgresSessionFaults: readonly Fault[] = [
  striking(
    'postgres-terminate',
    'pg_terminate_backend of sessions,',
    `select pg_terminate_backend(pid) from pg_stat_activity where ${SERVICES}`,
    {
      max: 100,
      everyMs: 400,
    },
  ),
  striking(
    'postgres-cancel-statements',
    'pg_cancel_backend of statements under way,',
    `select pg_cancel_backend(pid) from pg_stat_activity where ${SERVICES} and state = 'active'`,
    { max: 200, everyMs: STRIKE_EVERY_MS },
  ),
  striking(
    'postgres-end-transactions',
    'pg_terminate_backend in mid-transaction,',
    `select pg_terminate_backend(pid) from pg_stat_activity where ${SERVICES} and xact_start is not null limit 1`,
    { max: 20, everyMs: STRIKE_EVERY_MS },
  ),
];
