import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '#testing';
import { living } from '../harness/descendants.ts';
import { Random } from '../simulation/virtual/random.ts';
import { nameOf, type Case } from './cases.ts';
import { comesToRest, faultsOf } from './judge.ts';
import { LEASE_MS, nameOfWorker, signal, type Member, type Town } from './town.ts';
import type { Arrival, Strike, Trap } from './trap.ts';

export interface CaseResult {
  readonly name: string;
  readonly point: string;
  readonly action: string;
  readonly hit: number;
  readonly seed: number;
  readonly passed: boolean;
  /** Why it failed. */
  readonly faults: readonly string[];
  /** Whom it struck: `scheduler 1`. */
  readonly struck: string;
  readonly tookMs: number;
}

const runsAtFirst = 6;
const runsMoreMax = 60;
const arrivesWithinMs = 60_000;
const lookEveryMs = 15;
const moreEveryMs = 400;
const stoppedLeases = 3;
/** Workers that are lost for one case, at most. */
const lostMax = 12;
const orphanEndsWithinMs = 5_000;

/** Strikes once while runs are under way, and judges what became of them. Never rejects: what goes wrong is the case's failure. */
export async function runCase(town: Town, trap: Trap, given: Case): Promise<CaseResult> {
  const began = performance.now();
  const { point, action, hit, seed } = given;
  const attempt = new Attempt(town, trap, given);
  const faults = await attempt.run().catch((error: unknown) => [error instanceof Error ? error.message : String(error)]);
  await trap.disarm();
  await attempt.over();
  const tookMs = Math.round(performance.now() - began);
  const told = { name: nameOf(given), point: point.name, action, hit, seed };
  return { ...told, passed: faults.length === 0, faults, struck: attempt.struck, tookMs };
}

class Attempt {
  struck = '';
  private readonly random: Random;
  private readonly starting: Promise<void>[] = [];
  private startedMore = 0;
  private isStruck = false;
  private lost = 0;
  /** Members that are on their way out, or back. */
  private readonly turning: Promise<void>[] = [];

  constructor(
    private readonly town: Town,
    private readonly trap: Trap,
    private readonly given: Case,
  ) {
    this.random = new Random(given.seed, Number(given.point.name.slice(1)) * 100 + given.hit * 10 + given.action.length);
  }

  /** Waits for what it has begun, however that ends. */
  async over(): Promise<void> {
    await Promise.allSettled([...this.starting, ...this.turning]);
  }

  async run(): Promise<string[]> {
    const victim = await this.victim();
    this.underWay(this.starting, this.town.workload.some(this.random, runsAtFirst));
    await pause(this.random.int(0, 150));
    await this.trap.arm(this.strike(victim));
    const arrival = await this.arrival(victim);
    await this.strikeAt(arrival);
    await Promise.all([...this.starting, ...this.turning]);
    await comesToRest(this.town);
    return await faultsOf(this.town);
  }

  private strike(victim: Member | undefined): Strike {
    const { point, hit, action, seed } = this.given;
    const { name, server, statements, afterMs } = point;
    return {
      ...{ point: name, action, server, statements, silently: seed % 2 === 0 },
      // A process drains once: the second is another one's, after the first has drained in peace.
      hit: point.needs === 'drain' ? 1 : hit,
      // What is to be executed may be the last that this process sends for long.
      afterMs: action === 'execute-then-error' ? 0 : (afterMs[seed % afterMs.length] ?? 0),
      pids: victim ? [this.town.process(victim).pid] : [],
    };
  }

  /** The one that must be struck, where not any will do. */
  private async victim(): Promise<Member | undefined> {
    const { point, hit } = this.given;
    if (point.leaderOnly) return await this.town.leader();
    if (point.needs !== 'drain') return undefined;
    const [first, second] = this.town.of('worker');
    if (hit === 1 || !first) return first;
    await this.drain(first);
    return second;
  }

  /** Waits until a process stands at the point, with new runs all the while, so that some come by. */
  private async arrival(victim: Member | undefined): Promise<Arrival> {
    await this.comeBy(victim);
    const until = performance.now() + arrivesWithinMs;
    for (let next = performance.now() + moreEveryMs; performance.now() < until; await pause(lookEveryMs)) {
      const arrival = await this.trap.arrival();
      this.isStruck = arrival !== undefined;
      if (arrival) return arrival;
      if (performance.now() < next) continue;
      this.more();
      next = performance.now() + moreEveryMs;
    }
    throw new Error('the point was never reached');
  }

  /** Its failure is told where it is awaited, not before. */
  private underWay(list: Promise<void>[], one: Promise<void>): void {
    one.catch(() => undefined);
    list.push(one);
  }

  private more(): void {
    if (this.startedMore >= runsMoreMax) return;
    this.startedMore += 2;
    this.underWay(this.starting, this.town.workload.some(this.random, 2));
  }

  private async comeBy(victim: Member | undefined): Promise<void> {
    const { needs } = this.given.point;
    if (needs === undefined) return;
    await eventually(() => this.town.records.underWay(), { within: 30_000, every: lookEveryMs * 2, what: 'steps to be under way' });
    if (needs === 'drain' && victim) {
      await this.busy(victim);
      this.underWay(this.turning, this.drain(victim));
    }
    if (needs === 'lost worker') this.underWay(this.turning, this.loseWorkers());
  }

  /** Waits until it runs steps that take a while: one that has nothing to do has drained before it can be struck. */
  private async busy(victim: Member): Promise<void> {
    const name = nameOfWorker(victim.at);
    let next = 0;
    const isBusy = async () => {
      if (await this.town.records.hasBegun(name)) return true;
      if (performance.now() < next) return false;
      next = performance.now() + moreEveryMs;
      this.underWay(this.starting, this.town.workload.slow(this.random, 4));
      return false;
    };
    await eventually(isBusy, { within: 30_000, every: lookEveryMs, what: `${name} to run steps` });
  }

  /** One after the other, each while it holds steps, until somebody has come to the point: the first loss may be found elsewhere. */
  private async loseWorkers(): Promise<void> {
    while (!this.isStruck && this.lost < lostMax) {
      this.underWay(this.starting, this.town.workload.slow(this.random, 3));
      const member = await eventually(() => this.town.holder(), { within: 30_000, every: lookEveryMs * 2, what: 'a worker to hold steps' });
      await this.town.kill(member);
      this.lost += 1;
      await this.town.start(member);
    }
  }

  /** SIGTERM; killed or drained, it is started again. */
  private async drain(member: Member): Promise<void> {
    const process = this.town.process(member);
    const { code } = await process.kill('SIGTERM');
    const wanted = this.given.action === 'kill' && this.struck === process.name ? 137 : 0;
    if (code !== wanted) throw new Error(`${process.name} drained with ${code}, not ${wanted}`);
    await this.town.start(member);
  }

  private async strikeAt(arrival: Arrival): Promise<void> {
    const member = this.town.memberOf(arrival.pid, arrival.parent);
    if (!member) throw new Error(`nobody of ours is process ${arrival.pid}`);
    this.struck = `${member.role} ${member.at}`;
    switch (this.given.action) {
      case 'kill':
        return await this.kill(member, arrival);
      case 'stop':
        await this.town.freeze(member, stoppedLeases * LEASE_MS);
        return await this.trap.letGo();
      case 'cut':
        if ((arrival.broken ?? 0) === 0) throw new Error('there was no connection to cut');
        return;
      case 'execute-then-error':
        return await this.answerLost();
    }
  }

  /** Seen by its exit code. It is started again, as whoever runs a cluster would. */
  private async kill(member: Member, { pid }: Arrival): Promise<void> {
    const { pid: own, name } = this.town.process(member);
    const { code } = await this.town.kill(member);
    if (code !== 137) throw new Error(`${name} ended with ${code}, not 137`);
    if (pid !== own) await this.orphanEnds(pid);
    if (this.given.point.needs !== 'drain') await this.town.start(member);
  }

  private async orphanEnds(pid: number): Promise<void> {
    const isGone = async () => (await living([{ pid, name: 'step process' }])).length === 0;
    await eventually(isGone, { within: orphanEndsWithinMs, what: 'the step process of a killed worker to end' }).catch((error: unknown) => {
      signal(pid, 'SIGKILL');
      throw error;
    });
  }

  private async answerLost(): Promise<void> {
    const until = performance.now() + arrivesWithinMs / 2;
    for (let next = 0; performance.now() < until; await pause(lookEveryMs)) {
      if (await this.trap.executed()) return;
      if (performance.now() < next) continue;
      this.more();
      next = performance.now() + moreEveryMs;
    }
    throw new Error('nothing was executed after the point');
  }
}
