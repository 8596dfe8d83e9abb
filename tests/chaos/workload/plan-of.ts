import type { Json } from '#core';
import { Random } from '../../simulation/virtual/random.ts';
import { KINDS, type WorkflowKind } from './kinds.ts';

/** What callers do to one run besides starting it. Times are milliseconds after its start was answered. */
export interface RunPlan {
  readonly no: number;
  readonly kind: WorkflowKind;
  readonly input: Readonly<Record<string, Json>>;
  readonly idempotencyKey: string;
  /** Started by so many callers at once, under the same key. */
  readonly starters: number;
  readonly cancelAfterMs: number | null;
  /** So many cancel it at once, some by the version that they saw. */
  readonly cancellers: number;
  /** So many retry it at once when it has failed or was cancelled. */
  readonly retriers: number;
  readonly readsAfterMs: readonly number[];
  readonly seed: number;
}

/** Apart from the schedule's stream of the same seed. */
const FIRST_STREAM = 1_000;

/** What happens to the run of this number; the seed decides all of it. */
export function planOf(seed: number, no: number): RunPlan {
  const random = new Random(seed, FIRST_STREAM + no);
  const kind = pickKind(random);
  const cancels = random.chance(kind.failsFirst ? 0.05 : 0.12);
  const contested = random.chance(0.35);
  return {
    no,
    kind,
    input: kind.input(random),
    idempotencyKey: `chaos-${seed}-${no}-${random.uuid()}`,
    starters: random.chance(0.05) ? random.int(2, 4) : 1,
    cancelAfterMs: cancels ? random.int(0, 2_500) : null,
    cancellers: contested ? random.int(2, 4) : 1,
    retriers: retriersOf(kind, cancels, random),
    readsAfterMs: Array.from({ length: random.chance(0.3) ? random.int(1, 3) : 0 }, () => random.int(0, 3_000)).toSorted((a, b) => a - b),
    seed: random.int(0, 2_147_483_647),
  };
}

function retriersOf(kind: WorkflowKind, cancels: boolean, random: Random): number {
  const retries = kind.failsFirst ? random.chance(0.8) : cancels && random.chance(0.3);
  if (!retries) return 0;
  return random.chance(0.5) ? random.int(2, 4) : 1;
}

function pickKind(random: Random): WorkflowKind {
  const all = KINDS.reduce((sum, { weight }) => sum + weight, 0);
  let left = random.next() * all;
  for (const kind of KINDS) {
    left -= kind.weight;
    if (left < 0) return kind;
  }
  return random.pick(KINDS);
}
