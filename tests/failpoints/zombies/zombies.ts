import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { Random } from '../../simulation/virtual/random.ts';
import { comesToRest, faultsOf } from '../judge.ts';
import { LEASE_MS, nameOfWorker, type Member, type Town } from '../town.ts';
import type { Dispatch } from '../records.ts';
import type { Trap } from '../trap.ts';
import { type Counters, readCounters } from './counters.ts';
import { holdingsOf, reportsInHand } from './holdings.ts';

export interface ZombieReport {
  /** Pauses of processes that held work, which alone count. */
  readonly pauses: { readonly worker: number; readonly scheduler: number };
  /** Pauses of workers between a step's end and its report. */
  readonly beforeReport: number;
  /** Pauses of processes that held nothing. */
  readonly idle: number;
  /** Steps that paused workers held, and those of them that were given to others meanwhile. */
  readonly held: number;
  readonly taken: number;
  /** Transitions under a token that had been replaced. */
  readonly staleCommits: number;
  /** Reports that changed nothing, each counted by the scheduler that refused it. */
  readonly refused: number;
  readonly counters: Counters;
  readonly runs: number;
  readonly effects: number;
  /** Effects that the outside world was asked for more than once, and booked once. */
  readonly askedAgain: number;
  readonly tookMs: number;
  readonly faults: readonly string[];
}

/** Workers that are paused at once, at most; the others go on. */
const workersAtOnce = 5;
const runsMax = 60;
const runsAtOnce = 6;
const slowAtOnce = 10;
const arriveWithinMs = 600;
const takenWithinMs = 2 * LEASE_MS;
const lookEveryMs = 10;

/** Pauses processes that hold work for longer than their lease, again and again, while runs are under way; then judges. */
export class Zombies {
  private readonly random: Random;
  private readonly redis: Redis;
  private readonly counted = { worker: 0, scheduler: 0, beforeReport: 0, idle: 0, held: 0, taken: 0 };
  private readonly starting = new Set<Promise<void>>();
  private over = false;

  constructor(
    private readonly town: Town,
    private readonly trap: Trap,
    private readonly wanted: number,
    seed: number,
  ) {
    this.random = new Random(seed, 666);
    this.redis = new Redis(town.stack.redis.url);
  }

  async haunt(): Promise<ZombieReport> {
    const began = performance.now();
    const feeding = this.feed();
    for (let round = 1; this.pauses < this.wanted; round += 1) {
      await Promise.all([this.pauseWorkers(), ...(round % 3 === 0 ? [this.pauseScheduler()] : [])]);
      if (round % 10 === 0)
        console.log(`  round ${round}: ${this.pauses} pauses, ${this.counted.taken} of ${this.counted.held} held steps taken`);
    }
    this.over = true;
    await feeding;
    await this.trap.disarm();
    await Promise.all(this.starting);
    await comesToRest(this.town);
    const report = await this.judge(Math.round(performance.now() - began));
    this.redis.disconnect();
    return report;
  }

  private get pauses(): number {
    return this.counted.worker + this.counted.scheduler;
  }

  /** Keeps runs under way. */
  private async feed(): Promise<void> {
    for (; !this.over; await pause(100)) {
      if (this.starting.size > 3 || (await this.town.records.liveRuns()) >= runsMax) continue;
      const { workload } = this.town;
      const some = Promise.all([workload.some(this.random, runsAtOnce), workload.slow(this.random, slowAtOnce)])
        // One that failed stays, to be told at the end.
        .then(() => void this.starting.delete(some));
      some.catch(() => undefined);
      this.starting.add(some);
    }
  }

  /** Half of them are caught between the end of a step and its report, if they come by there in time; the others wherever they are. */
  private async pauseWorkers(): Promise<void> {
    const before = await holdingsOf(this.redis);
    const holding = this.town.of('worker').filter(({ at }) => before.has(nameOfWorker(at)));
    const chosen = this.shuffled(holding).slice(0, this.random.int(2, workersAtOnce));
    if (chosen.length === 0) return await pause(lookEveryMs);
    const caught = chosen.slice(0, Math.ceil(chosen.length / 2)).map((member) => this.town.process(member).pid);
    await this.trap.arm({
      ...{ point: 'p17', hit: 1, action: 'stop', afterMs: 0, server: 'redis', statements: [], silently: true },
      ...{ pids: caught, each: true },
    });
    const arrived = await this.arrivals(caught);
    const goOn = await Promise.all(chosen.map((member) => this.town.halt(member)));
    await this.trap.disarm();
    for (const pid of await this.arrivals(caught, 0)) arrived.add(pid);
    const holdings = await holdingsOf(this.redis);
    await pause(LEASE_MS * this.random.between(1.6, 2.6));
    await this.areTaken(chosen.flatMap(({ at }) => holdings.get(nameOfWorker(at)) ?? []));
    for (const member of chosen) await this.count(member, holdings.get(nameOfWorker(member.at)) ?? [], arrived);
    for (const wake of goOn) wake();
    for (const pid of caught) await this.trap.letOneGo(pid);
    await pause(this.random.int(200, 500));
  }

  private async arrivals(pids: readonly number[], withinMs = arriveWithinMs): Promise<Set<number>> {
    const arrived = new Set<number>();
    for (const until = performance.now() + withinMs; ; await pause(lookEveryMs)) {
      for (const pid of pids) if (await this.trap.hasArrived(pid)) arrived.add(pid);
      if (arrived.size === pids.length || performance.now() >= until) return arrived;
    }
  }

  /** A zombie is one whose work is another's by now: waits for it, but not for ever, since a step may be cancelled or have ended. */
  private async areTaken(held: readonly Dispatch[]): Promise<void> {
    for (const until = performance.now() + takenWithinMs; performance.now() < until; await pause(lookEveryMs * 5))
      if ((await this.town.records.replaced(held)) === held.length) return;
  }

  private async count(member: Member, held: readonly Dispatch[], arrived: ReadonlySet<number>): Promise<void> {
    if (held.length === 0) {
      this.counted.idle += 1;
      return;
    }
    this.counted.worker += 1;
    this.counted.held += held.length;
    this.counted.taken += await this.town.records.replaced(held);
    if (arrived.has(this.town.process(member).pid)) this.counted.beforeReport += 1;
  }

  /** It holds work when it leads, or has read reports that it has not settled. */
  private async pauseScheduler(): Promise<void> {
    const leader = await this.town.leader();
    const member = this.random.chance(0.6) ? leader : this.random.pick(this.town.of('scheduler'));
    const goOn = await this.town.halt(member);
    const holds = member === leader || (await reportsInHand(this.redis)) > 0;
    await pause(LEASE_MS * this.random.between(1.3, 2));
    if (holds) this.counted.scheduler += 1;
    else this.counted.idle += 1;
    goOn();
  }

  private shuffled<Item>(items: readonly Item[]): Item[] {
    return items
      .map((item) => ({ item, place: this.random.next() }))
      .toSorted((one, other) => one.place - other.place)
      .map(({ item }) => item);
  }

  private async judge(tookMs: number): Promise<ZombieReport> {
    const { worker, scheduler, beforeReport, idle, held, taken } = this.counted;
    const counters = await readCounters(this.town);
    const staleCommits = await this.town.records.staleCommits();
    const { applied = 0, stale = 0, settled = 0, ignored = 0 } = counters.verdicts;
    const uncounted = counters.reportsSent - applied - stale - settled - ignored;
    const { asked, effects } = this.town.outside;
    return {
      ...{ pauses: { worker, scheduler }, beforeReport, idle, held, taken, staleCommits, refused: stale + settled, counters, tookMs },
      ...{ runs: this.town.workload.accepted.size, effects: effects.size },
      askedAgain: [...asked.values()].filter((times) => times > 1).length,
      faults: [
        ...(await faultsOf(this.town)),
        ...(staleCommits > 0 ? [`${staleCommits} transitions were made under a token that had been replaced`] : []),
        ...(uncounted > 0 ? [`${uncounted} of ${counters.reportsSent} reports have no verdict`] : []),
        ...(stale === 0 ? ['no stale report was ever refused: the pauses have shown nothing'] : []),
      ],
    };
  }
}
