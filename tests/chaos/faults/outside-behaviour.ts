import type { Fault } from '../world/types.ts';
import { FaultNotPossible } from '../world/types.ts';
import { MISCONDUCTS, behave, type Misconduct } from '../outside-world/behaviour.ts';

/** The world outside does not behave: too many requests, errors, silence, crumbs, ends before and after the effect was booked. */
function misbehaving(misconduct: Misconduct): Fault {
  return {
    id: 'F36',
    name: `outside-${misconduct}`,
    targets: 'outside',
    inflict: async (world, random) => {
      const share = random.pick([0.3, 0.7, 1]);
      await tell(world.outsideUrl, { misconduct, share });
      return {
        what: `the world outside answers ${Math.round(share * 100)} % of the requests by ${misconduct}`,
        holdMs: random.int(2_000, 5_000),
        heal: async () => {
          await tell(world.outsideUrl, null);
          // Who was left hanging would hang until his own timeout.
          if (misconduct === 'hang' || misconduct === 'drip') world.link('workers > outside').reset();
        },
      };
    },
  };
}

async function tell(outsideUrl: string, behaviour: Parameters<typeof behave>[1]): Promise<void> {
  await behave(outsideUrl, behaviour).catch((error: unknown) => {
    throw new FaultNotPossible(`The world outside does not listen: ${String(error)}`);
  });
}

/** Nobody listens any more, and what was open is ended. */
const away: Fault = {
  id: 'F36',
  name: 'outside-away',
  targets: 'outside',
  inflict: (world, random) => {
    const link = world.link('workers > outside');
    const { target } = link;
    link.retarget(NOWHERE);
    link.cut();
    return Promise.resolve({
      what: 'the world outside is away',
      holdMs: random.int(1_000, 4_000),
      heal: () => {
        link.retarget(target);
        link.cut();
        return Promise.resolve();
      },
    });
  },
};

/** The port of "discard", where nobody listens. */
const NOWHERE = 9;

export const badOutside: readonly Fault[] = [...MISCONDUCTS.map(misbehaving), away];
