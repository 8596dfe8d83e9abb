import { parseArgs } from 'node:util';
import type { CaseFilter } from './cases.ts';
import { POINTS } from './points.ts';
import { ACTIONS } from './trap.ts';

export interface FailpointOptions extends CaseFilter {
  /** Pauses of processes that hold work, instead of the cases. */
  readonly zombies: number;
  /** Where the results are written as JSON. */
  readonly json: string | undefined;
  /** Leaves out the cases that have passed by that file. */
  readonly resume: boolean;
}

export const USAGE = `npm run proof:failpoints -- [options]
  --seeds N        so many seeds, from 1 (default 3)
  --seed N         just this one
  --only p10,p17   just these points: ${POINTS.map(({ name }) => name).join(' ')}
  --action kill    just these: ${ACTIONS.join(', ')}
  --hit 1          just the first or the second arrival
  --zombies N      N pauses beyond the lease of processes that hold work, instead of the cases
  --json FILE      writes the results, after each case
  --resume         leaves out what has passed by that file`;

/** Returns `undefined` for what cannot be understood. */
export function readOptions(args: readonly string[]): FailpointOptions | undefined {
  const text = { type: 'string' } as const;
  const names = {
    seeds: text,
    seed: text,
    only: text,
    action: text,
    hit: text,
    zombies: text,
    json: text,
    resume: { type: 'boolean' } as const,
  };
  try {
    const { values } = parseArgs({ args: [...args], options: names });
    const seeds = values.seed === undefined ? Array.from({ length: whole(values.seeds ?? '3') }, (_, at) => at + 1) : [whole(values.seed)];
    const only = among(
      values.only,
      POINTS.map(({ name }) => name),
    );
    const hits = among(values.hit, ['1', '2']).map((hit) => (hit === '1' ? 1 : 2));
    return {
      ...{ seeds, only, actions: among(values.action, ACTIONS), hits: hits.length === 0 ? [1, 2] : hits },
      ...{ zombies: whole(values.zombies ?? '0'), json: values.json, resume: values.resume ?? false },
    };
  } catch {
    return undefined;
  }
}

function among(given: string | undefined, known: readonly string[]): string[] {
  const asked = given?.split(',') ?? [];
  if (asked.some((one) => !known.includes(one))) throw new Error('unknown');
  return asked;
}

function whole(given: string): number {
  if (!/^\d{1,9}$/.test(given)) throw new Error('no number');
  return Number(given);
}
