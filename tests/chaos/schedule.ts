import { Random } from '../simulation/virtual/random.ts';
import type { FaultCard } from './options.ts';

/** One card of the deck, with what decides its targets and times. */
export interface DealtFault<Card extends FaultCard = FaultCard> {
  readonly card: Card;
  readonly seed: number;
}

/** A fault, or two on different targets at once; before it a pause. The next turn comes when this one has been healed. */
export interface Turn<Card extends FaultCard = FaultCard> {
  readonly no: number;
  readonly pauseMs: number;
  readonly faults: readonly DealtFault<Card>[];
}

export interface Pace {
  readonly pauseMsMin: number;
  readonly pauseMsMax: number;
  /** How likely a second fault is dealt on top of the first. */
  readonly together: number;
}

export const CALM: Pace = { pauseMsMin: 1_000, pauseMsMax: 4_000, together: 0.15 };
export const QUICK: Pace = { pauseMsMin: 300, pauseMsMax: 1_500, together: 0.1 };

/** Apart from the streams of numbers that the workload takes from the same seed. */
const SCHEDULE_STREAM = 1;

/**
 * Deals a shuffled deck of all faults, card by card, then shuffles it anew: each kind comes equally often, in an order that the seed
 * decides. Without end; nothing but the seed, the deck and the pace goes in.
 */
export function* dealTurns<Card extends FaultCard>(seed: number, deck: readonly Card[], pace: Pace): Generator<Turn<Card>> {
  if (deck.length === 0) return;
  const random = new Random(seed, SCHEDULE_STREAM);
  const dealt = (card: Card): DealtFault<Card> => ({ card, seed: random.int(0, 2_147_483_647) });
  let left: Card[] = [];
  for (let no = 1; ; no += 1) {
    if (left.length === 0) left = shuffled(deck, random);
    const pauseMs = random.int(pace.pauseMsMin, pace.pauseMsMax);
    const [first, ...others] = left;
    if (!first) return;
    left = others;
    const faults = [dealt(first)];
    const second = random.chance(pace.together) ? left.findIndex(({ targets }) => targets !== first.targets) : -1;
    for (const card of second >= 0 ? left.splice(second, 1) : []) faults.push(dealt(card));
    yield { no, pauseMs, faults };
  }
}

/** As one line: `12. after 3.4 s: redis-kill (F08) with half-open (F13)`. */
export function describeTurn({ no, pauseMs, faults }: Turn): string {
  const names = faults.map(({ card, seed }) => `${card.name} (${card.id}, seed ${seed})`);
  return `${String(no).padStart(4)}. after ${(pauseMs / 1000).toFixed(1)} s: ${names.join(' with ')}`;
}

function shuffled<Item>(items: readonly Item[], random: Random): Item[] {
  const deck = [...items];
  for (let at = deck.length - 1; at > 0; at -= 1) {
    const other = random.int(0, at);
    const [one, two] = [deck[at], deck[other]];
    if (one !== undefined && two !== undefined) [deck[at], deck[other]] = [two, one];
  }
  return deck;
}
