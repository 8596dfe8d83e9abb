import { Random } from '../simulation/virtual/random.ts';
import { messageOf, now, rest, within } from './clock.ts';
import type { FaultRecord, Journal } from './journal.ts';
import type { DealtFault, Turn } from './schedule.ts';
import type { ReadinessWatch } from './watch/readiness-watch.ts';
import { type Fault, FaultNotPossible, type Inflicted, type Measures, type World } from './world/types.ts';

const inflictWithinMs = 90_000;
const healWithinMs = 120_000;
const holdMsMax = 60_000;
/** All must be ready again within this, or the world is mended by hand and the fault is told as one that did not heal. */
const greenWithinMs = 45_000;

interface Open {
  readonly dealt: DealtFault<Fault>;
  readonly at: number;
  readonly inflictedAt: number | null;
  readonly inflicted: Inflicted | undefined;
  readonly why: string | null;
  readonly isPossible: boolean;
}

/** Inflicts the schedule's faults turn by turn. No error of a fault ends it, and no fault keeps it waiting for ever. */
export class Afflictions {
  constructor(
    private readonly world: World,
    private readonly journal: Journal,
    private readonly readiness: Pick<ReadinessWatch, 'untilGreen' | 'firstRedAfter' | 'redMembers'>,
    private readonly say: (line: string) => void,
  ) {}

  /** Until the signal comes; the turn under way is healed first. */
  async run(turns: Iterable<Turn<Fault>>, signal: AbortSignal): Promise<void> {
    for (const turn of turns) {
      await rest(turn.pauseMs, signal);
      if (signal.aborted) return;
      await this.play(turn, signal).catch((error: unknown) => this.journal.addError(`turn ${turn.no}`, error));
    }
  }

  private async play(turn: Turn<Fault>, signal: AbortSignal): Promise<void> {
    const open: Open[] = [];
    for (const dealt of turn.faults) open.push(await this.inflict(dealt));
    const holdMs = Math.max(0, ...open.map(({ inflicted }) => inflicted?.holdMs ?? 0));
    await rest(Math.min(holdMs, holdMsMax), signal);
    const healAt = now();
    // The last that was broken is healed first, and no fault waits for the healing of another.
    const healings = open.toReversed().map(async (one) => ({ one, ...(await this.heal(one)) }));
    const healed = await Promise.all(healings);
    const greenAt = await this.readiness.untilGreen(now(), greenWithinMs);
    if (greenAt === undefined) await this.mend(turn);
    for (const { one, measures, why, healedAt } of healed.toReversed()) {
      this.tell(turn, one, { measures, why, healAt, healedAt, greenAfterMs: greenAt === undefined ? null : Math.round(greenAt - healAt) });
    }
  }

  private async inflict(dealt: DealtFault<Fault>): Promise<Open> {
    const { card, seed } = dealt;
    const at = now();
    this.journal.add({ kind: 'inflict', what: `${card.name} (${card.id}), seed ${seed}` });
    try {
      const inflicted = await within(inflictWithinMs, `inflicting ${card.name}`, card.inflict(this.world, new Random(seed)));
      this.say(`${card.id} ${card.name}: ${inflicted.what}`);
      return { dealt, at, inflictedAt: now(), inflicted, why: null, isPossible: true };
    } catch (error) {
      const isPossible = !(error instanceof FaultNotPossible);
      if (isPossible) this.journal.addError(`inflicting ${card.name}`, error);
      return { dealt, at, inflictedAt: null, inflicted: undefined, why: messageOf(error), isPossible };
    }
  }

  private async heal({ dealt: { card }, inflicted }: Open): Promise<{ measures: Measures; why: string | null; healedAt: number | null }> {
    if (!inflicted) return { measures: {}, why: null, healedAt: null };
    this.journal.add({ kind: 'heal', what: card.name });
    try {
      const measures = await within(healWithinMs, `healing ${card.name}`, inflicted.heal());
      return { measures: measures ?? {}, why: null, healedAt: now() };
    } catch (error) {
      this.journal.addError(`healing ${card.name}`, error);
      return { measures: {}, why: messageOf(error), healedAt: null };
    }
  }

  private tell(
    turn: Turn,
    { dealt: { card, seed }, at, inflictedAt, inflicted, why, isPossible }: Open,
    healing: Pick<FaultRecord, 'measures' | 'why' | 'healAt' | 'healedAt' | 'greenAfterMs'>,
  ): void {
    const { id, name, targets } = card;
    const reason = why ?? healing.why;
    const outcome = !isPossible ? 'not_possible' : reason === null ? 'healed' : 'failed';
    const redAt = this.readiness.firstRedAfter(at);
    this.journal.add({
      kind: 'fault',
      ...{ turn: turn.no, id, name, targets, seed, at, inflictedAt, what: inflicted?.what ?? null, outcome, why: reason },
      ...{ measures: healing.measures, healAt: healing.healAt, healedAt: healing.healedAt, greenAfterMs: healing.greenAfterMs },
      redAfterMs: redAt === undefined ? null : Math.round(redAt - at),
    });
  }

  /** Brings back by hand what a fault has left broken: that it was needed is an error of the driver's book. */
  async mend(turn?: Turn): Promise<void> {
    const what = turn ? `turn ${turn.no}: ${turn.faults.map(({ card }) => card.name).join(' with ')}` : 'at the end';
    this.journal.addError('not all were ready again', new Error(`${what}: ${this.readiness.redMembers().join(', ')}`));
    await mendWorld(this.world, this.journal);
    await this.readiness.untilGreen(now(), greenWithinMs);
  }
}

const stepWithinMs = 90_000;

/** Links whole, servers up, everybody running. Each part for itself: one that fails does not keep the others back. */
export async function mendWorld(world: World, journal: Journal): Promise<void> {
  const part = async (what: string, work: () => Promise<unknown>) => {
    await within(stepWithinMs, what, work()).catch((error: unknown) => journal.addError(what, error));
  };
  for (const name of world.linkNames()) {
    const link = world.link(name);
    link.heal();
    link.latency = 0;
    link.weather = null;
  }
  if (!world.postgres.isRunning) await part('starting PostgreSQL', () => world.postgres.start());
  await part('asking Redis', async () => {
    const answered = await within(2_000, 'ping', world.redis.command('ping')).then(
      () => true,
      () => false,
    );
    if (!answered) await world.redis.start();
  });
  await Promise.all(
    world.members().map(async (member) => {
      if (member.isPaused) member.goOn();
      if (!member.isRunning) await part(`starting ${member.name}`, () => member.startAgain());
    }),
  );
}
