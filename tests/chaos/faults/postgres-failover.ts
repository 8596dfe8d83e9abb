import { eventually } from '#testing';
import { type Fault, FaultNotPossible } from '../world/types.ts';
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
    const rolledBackBefore = world.postgres.rolledBack.length;
    const promotedMs = await millisecondsOf(() => world.postgres.promote({ losesCommits: true }));
    const rolledBack = world.postgres.rolledBack.slice(rolledBackBefore);
    const lostRuns = rolledBack.reduce((sum, { lost }) => sum + lost.length, 0);
    const setBackRuns = rolledBack.reduce((sum, { setBack }) => sum + setBack.length, 0);
    return {
      what: `a standby without the last commits took over: ${lostRuns} runs lost, ${setBackRuns} set back`,
      holdMs: 0,
      heal: async () => {
        await world.postgres.withStandby();
        const [epoch] = await world.postgres.sql<{ epoch: number }>('select max(epoch) as epoch from epochs');
        return { promotedMs, lostRuns, setBackRuns, epoch: epoch?.epoch ?? 0 };
      },
    };
  },
};

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

export const postgresFailovers: readonly Fault[] = [postgresPromoteSynchronous, postgresPromoteAsynchronous, postgresStandbyByMistake];
