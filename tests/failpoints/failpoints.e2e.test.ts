import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startRedis, type RedisServer } from '#testing';
import { casesOf, nameOf } from './cases.ts';
import { runCase } from './run-case.ts';
import { Town } from './town.ts';
import { Trap } from './trap.ts';

/** One of each kind; all of them: `npm run proof:failpoints`. */
const FEW = [
  { only: ['p10'], actions: ['kill'] },
  { only: ['p17'], actions: ['stop'] },
  { only: ['p14'], actions: ['cut'] },
  { only: ['p7'], actions: ['execute-then-error'] },
].flatMap((filter) => casesOf({ ...filter, seeds: [1], hits: [1] }));

describe('a process that is struck at a point of the protocol', () => {
  let redis: RedisServer;
  let trap: Trap;
  let town: Town;

  beforeAll(async () => {
    redis = await startRedis({ appendonly: true, own: true });
    trap = await Trap.make();
    town = await Town.found({ redis, failpoints: trap.folder });
  }, 90_000);
  afterAll(async () => {
    await town?.close();
    await redis?.stop();
    await trap?.remove();
  }, 60_000);

  it.each(FEW.map((given) => ({ name: nameOf(given), given })))(
    'loses nothing, doubles nothing, and is got over by itself: $name',
    async ({ given }) => {
      const { faults, struck } = await runCase(town, trap, given);

      expect(faults).toEqual([]);
      expect(struck).toContain(given.point.role);
    },
    60_000,
  );
});
