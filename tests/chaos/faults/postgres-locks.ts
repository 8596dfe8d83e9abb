import pg from 'pg';
import type { Fault, World } from '../world/types.ts';
import { letPass } from './server-times.ts';

const ROLES = ['flowforge_api', 'flowforge_scheduler'] as const;
const LOCK_TIMEOUT_MS = 200;
const DEADLOCK_TIMEOUT_MS = 100;
const DEADLOCK_EVERY_MS = 200;

/** A session of ours that stays open over a fault. */
async function openSession(world: World): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: world.postgres.superuserUrl, application_name: 'chaos locks' });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** Somebody holds locks on all live runs for seconds; the services either wait (their own statement timeout is longer) or give up soon. */
function locking(name: string, { timesOut }: { readonly timesOut: boolean }): Fault {
  return {
    id: 'F20',
    name,
    targets: 'postgres',
    inflict: async (world, random) => {
      if (timesOut) await setLockTimeout(world, `set lock_timeout = ${LOCK_TIMEOUT_MS}`);
      const session = await openSession(world);
      await session.query('begin');
      const whole = random.chance(0.4);
      await session.query(whole ? 'lock table live_runs in exclusive mode' : 'select from live_runs order by run_id for update');
      return {
        what: `locked ${whole ? 'the table of live runs' : 'all live runs'}${timesOut ? `; services give up after ${LOCK_TIMEOUT_MS} ms` : ''}`,
        holdMs: random.int(1_000, 5_000),
        heal: async () => {
          await session.end().catch(() => undefined);
          if (timesOut) await setLockTimeout(world, 'reset lock_timeout');
        },
      };
    },
  };
}

/** New sessions have it; so the old ones end. */
async function setLockTimeout(world: World, clause: string): Promise<void> {
  for (const role of ROLES) await world.postgres.superSql(`alter role ${role} in database flowforge ${clause}`);
  await world.postgres.superSql(`select pg_terminate_backend(pid) from pg_stat_activity where usename = any($1)`, [ROLES]);
}

/** Somebody locks steps before their runs, and has more patience than the services, which do the opposite: they are told of the deadlock. */
const postgresDeadlocks: Fault = {
  id: 'F20',
  name: 'postgres-deadlocks',
  targets: 'postgres',
  inflict: async (world, random) => {
    const before = await deadlocks(world);
    await world.postgres.superSql(`alter system set deadlock_timeout = ${DEADLOCK_TIMEOUT_MS}`);
    await world.postgres.superSql('select pg_reload_conf()');
    const session = await openSession(world);
    await session.query(`set deadlock_timeout = '20s'; set lock_timeout = '5s'`);
    const ending = new AbortController();
    const over = lockBackwards(session, ending.signal);
    return {
      what: 'locks steps before their runs',
      holdMs: random.int(2_000, 5_000),
      heal: async () => {
        ending.abort();
        await over;
        await session.end().catch(() => undefined);
        await world.postgres.superSql('alter system reset deadlock_timeout');
        await world.postgres.superSql('select pg_reload_conf()');
        return { deadlocks: (await deadlocks(world)) - before };
      },
    };
  },
};

async function lockBackwards(session: pg.Client, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await session
      .query(
        `begin;
         select from step_runs where run_id in (select run_id from live_runs) and state in ('DISPATCHED', 'RUNNING') order by run_id desc for update;
         select pg_sleep(0.05);
         select from live_runs order by run_id desc for update;
         commit`,
      )
      .catch(() => session.query('rollback').catch(() => undefined));
    await letPass(DEADLOCK_EVERY_MS);
  }
}

async function deadlocks(world: World): Promise<number> {
  const [row] = await world.postgres.superSql<{ deadlocks: string }>(
    'select deadlocks from pg_stat_database where datname = current_database()',
  );
  return Number(row?.deadlocks ?? 0);
}

export const postgresLockFaults: readonly Fault[] = [
  locking('postgres-locked', { timesOut: false }),
  locking('postgres-lock-timeout', { timesOut: true }),
  postgresDeadlocks,
];
