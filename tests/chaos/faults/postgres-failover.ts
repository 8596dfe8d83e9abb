import { eventually } from '#testing';
import { type Fault, FaultNotPossible, type Inflicted, type World } from '../world/types.ts';
import { letPass, millisecondsOf } from './server-times.ts';

/** Commits wait for the standby; the primary dies, the standby takes over: nothing that was acknowledged is gone. */
const postgresPromoteSynchronous: Fault = {
  id: 'F21',
  name: 'postgres-promote-sync',
  targets: 'postgres',
  inflict: async (world, random) => {
    await world.postgres.setSynchronous(true);
    await letPass(random.int(500, 2_000));
    const promotedMs = await millisecondsOf(() => world.postgres.promote({ losesCommits: false }));
    return {
      what: 'the synchronous standby took over',
      holdMs: 0,
      heal: async () => {
        await world.postgres.withStandby();
        return { promotedMs };
      },
    };
  },
};

/** The standby's link breaks, commits go on without it, the primary dies, the standby takes over: the database goes back in time. */
const postgresPromoteAsynchronous: Fault = {
  id: 'F22',
  name: 'postgres-promote-async',
  targets: 'postgres',
  losesCommits: true,
  inflict: async (world, random) => {
    await world.postgres.withStandby();
    world.link('standby > postgres').blackhole();
    await letPass(random.int(500, 2_000));
    return await goingBack(world, 'a standby without the last commits took over', () => world.postgres.promote({ losesCommits: true }));
  },
};

/** A backup that was taken under load is restored, with workers at work and a Redis that is newer. */
const postgresRestore: Fault = {
  id: 'F40',
  name: 'postgres-restore',
  targets: 'postgres',
  losesCommits: true,
  inflict: async (world, random) => {
    const ownTimeline = random.chance(0.5);
    const meanwhile = () => letPass(random.int(500, 3_000));
    const what = `a backup was restored on ${ownTimeline ? 'a timeline of its own' : 'the old timeline, the epoch raised by hand'}`;
    return await goingBack(world, what, () => world.postgres.restore({ meanwhile, ownTimeline }));
  },
};

/** Counts what the database has lost by going back. */
async function goingBack(world: World, what: string, goBack: () => Promise<void>): Promise<Inflicted> {
  const before = world.postgres.rolledBack.length;
  const backMs = await millisecondsOf(goBack);
  const rolledBack = world.postgres.rolledBack.slice(before);
  const lostRuns = rolledBack.reduce((sum, { lost }) => sum + lost.length, 0);
  const setBackRuns = rolledBack.reduce((sum, { setBack }) => sum + setBack.length, 0);
  return {
    what: `${what}: ${lostRuns} runs lost, ${setBackRuns} set back`,
    holdMs: 0,
    heal: async () => {
      await world.postgres.withStandby();
      const [epoch] = await world.postgres.sql<{ epoch: number }>('select max(epoch) as epoch from epochs');
      return { backMs, lostRuns, setBackRuns, epoch: epoch?.epoch ?? 0 };
    },
  };
}

/** A name leads to the standby by mistake, then to the primary again, and nobody ends the connections that were made meanwhile. */
const postgresStandbyByMistake: Fault = {
  id: 'F24',
  name: 'postgres-standby-reached',
  targets: 'postgres',
  inflict: async (world, random) => {
    await world.postgres.withStandby();
    const { standbyPort } = world.postgres;
    if (standbyPort === undefined) throw new FaultNotPossible('There is no standby.');
    const members = world.members().filter(({ role }) => role !== 'worker');
    const member = random.pick(members);
    const link = world.link(`${member.name} > postgres`);
    link.retarget(standbyPort);
    link.cut();
    return {
      what: `${member.name} reaches the standby`,
      holdMs: random.int(2_000, 5_000),
      heal: async () => {
        link.retarget(world.postgres.port);
        const awayMs = await millisecondsOf(() =>
          eventually(async () => (await member.ready()).status === 200, { within: 15_000, every: 100, what: `${member.name} to be ready` }),
        );
        return { greenAfterMs: awayMs };
      },
    };
  },
};

export const postgresFailovers: readonly Fault[] = [
  postgresPromoteSynchronous,
  postgresPromoteAsynchronous,
  postgresRestore,
  postgresStandbyByMistake,
];
