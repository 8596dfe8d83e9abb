import type { FaultRecord, Journal } from '../journal.ts';
import type { MemberEnding, World } from '../world/types.ts';
import type { Caller } from '../workload/caller.ts';
import type { Workload } from '../workload/workload.ts';
import { type Figures, describeFigures, seconds } from './figures.ts';
import type { Found, Judgement } from './judge.ts';

/** One thing that must hold. */
export interface Fact {
  readonly what: string;
  readonly holds: boolean;
  readonly figure: string;
}

export interface Seen {
  readonly judgement: Judgement;
  readonly journal: Journal;
  readonly workload: Workload['counts'];
  readonly caller: Pick<Caller, 'counts' | 'surprises'>;
  readonly world: World;
  readonly leaseSeconds: number;
  /** Runs that had not ended when the wait for them was over. */
  readonly openAtEnd: number;
  readonly greenAtEndMs: number | undefined;
  readonly effectsWithoutKey: number;
  /** Times are told and not judged. */
  readonly busy: boolean;
}

const REBUILD_MS_MAX = 10_000;
const RED_MS_MAX = 10_000;
const HEALED_MS_MAX = 15_000;
/** A scheduler leaves with it when the epoch has changed, to begin anew. */
const EPOCH_CHANGED = 75;

/** Everything that must hold, with what was seen. */
export function factsOf(seen: Seen): Fact[] {
  const { judgement, journal, workload, caller, openAtEnd, greenAtEndMs } = seen;
  const { lost, doubled, illegal, unaudited, other, calls } = judgement;
  const lateMs = (2 * seen.leaseSeconds + 1) * 1000;
  const { lossToSentAgain, redisRebuilt, halfOpenToRed, halfOpenHealed, halfOpenUnseen } = judgement.recovery;
  const strays = strayEndings(seen.world, journal.faults);
  const failed = journal.faults.filter(({ outcome }) => outcome === 'failed').map(({ name }) => name);
  const inTime = (what: string, ms: number | undefined, msMax: number, figures: Figures | null) =>
    timeFact(what, seen.busy ? undefined : ms, msMax, figures);
  return [
    none('lost', lost, `${judgement.accepted} accepted runs exist and have ended`),
    none('doubled', doubled, `${judgement.effects} effects, one per step; one run per idempotency key`),
    none('illegal', illegal, `${judgement.transitions} transitions; ${calls} calls are linearizable per run`),
    none('unaudited', unaudited, `${judgement.transitions} audit rows`),
    none('of other invariants (I5, I8, I9, I10)', other, 'in time, rebuilt, at rest, bounded'),
    fact('all runs had ended within the bound', openAtEnd === 0, `${openAtEnd} open`),
    fact('one key, one run, for callers at once', workload.differing === 0, `${workload.differing} keys brought two runs`),
    fact('no request of a step without its key', seen.effectsWithoutKey === 0, `${seen.effectsWithoutKey} requests`),
    fact('no surprising answer', caller.surprises.length === 0, `${caller.surprises.length}${surpriseText(caller)}`),
    fact('no silent stall: nothing stood still while all were ready (I11)', journal.stalls.length === 0, `${journal.stalls.length} times`),
    fact(
      'everybody is ready at the end',
      greenAtEndMs !== undefined,
      greenAtEndMs === undefined ? 'not' : `after ${seconds(greenAtEndMs)}`,
    ),
    fact('every fault that was dealt was inflicted and healed', failed.length === 0, failed.join(', ') || 'none failed'),
    fact('nobody ended without a fault', strays.length === 0, strays.map(({ name, code }) => `${name}: ${code}`).join(', ') || 'nobody'),
    inTime("a lost worker's steps are sent again", lossToSentAgain?.p99, lateMs, lossToSentAgain),
    inTime('Redis is rebuilt after it was emptied', redisRebuilt?.p99, REBUILD_MS_MAX, redisRebuilt),
    inTime('a half-open link shows in readiness', worst(halfOpenToRed?.max, halfOpenUnseen), RED_MS_MAX, halfOpenToRed),
    inTime('a half-open link has healed', worst(halfOpenHealed?.max, halfOpenUnseen), HEALED_MS_MAX, halfOpenHealed),
  ];
}

function fact(what: string, holds: boolean, figure: string): Fact {
  return { what, holds, figure };
}

function none(what: string, { total }: Found, otherwise: string): Fact {
  return { what: `0 ${what}`, holds: total === 0, figure: total === 0 ? otherwise : `${total}` };
}

/** What was not measured broke no bound: the figure says so. */
function timeFact(what: string, ms: number | undefined, msMax: number, figures: Figures | null): Fact {
  return { what: `${what} within ${seconds(msMax)}`, holds: (ms ?? 0) <= msMax, figure: describeFigures(figures) };
}

function worst(ms: number | undefined, unseen: number): number | undefined {
  return unseen > 0 ? Infinity : ms;
}

function surpriseText({ surprises }: Pick<Caller, 'surprises'>): string {
  const [first] = surprises;
  return first ? `: ${first.call} ${first.status} ${JSON.stringify(first.body).slice(0, 200)}` : '';
}

/** Members that ended by themselves while no fault was under way, and not because of a new epoch. */
function strayEndings(world: World, faults: readonly FaultRecord[]): (Pick<MemberEnding, 'code' | 'at'> & { name: string })[] {
  const isExplained = (moment: number) =>
    faults.some(({ at, healAt, greenAfterMs }) => at <= moment && (healAt ?? Infinity) + (greenAfterMs ?? 60_000) + 1_000 >= moment);
  return world
    .members()
    .flatMap(({ name, endings }) => endings.filter(({ wanted }) => !wanted).map(({ code, at }) => ({ name, code, at })))
    .filter(({ code, at }) => code !== EPOCH_CHANGED && !isExplained(at));
}
