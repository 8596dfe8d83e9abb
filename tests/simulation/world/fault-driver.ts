import { assertNever } from '#core';
import type { ProcessKit } from '../actors/process-kit.ts';
import type { Checker } from '../checker/checker.ts';
import { Random } from '../virtual/random.ts';
import type { SimulatedProcess } from '../virtual/simulated-process.ts';
import type { Slot } from './fleet.ts';
import type { ProcessFault, WorldSettings } from './settings.ts';

/** Who can be hit. */
export interface Targets {
  readonly schedulers: readonly Slot[];
  readonly workers: readonly Slot[];
  readonly clients: readonly SimulatedProcess[];
}

/** Lets processes and servers fail as the seed says, and heals everything when the calm begins. */
export class FaultDriver {
  /** Runs that a restore took away. */
  readonly lost = new Set<string>();
  private readonly random: Random;

  constructor(
    private readonly kit: ProcessKit,
    private readonly settings: WorldSettings,
    private readonly targets: Targets,
    private readonly checker: Checker,
  ) {
    this.random = new Random(settings.seed, 3);
  }

  plan(): void {
    const { kernel } = this.kit;
    for (const { atMs, fault } of this.settings.processFaults)
      kernel.plan(kernel.outside, atMs, `fault: ${fault}`, () => this.inject(fault));
    kernel.plan(kernel.outside, this.settings.calmAtMs, 'calm', () => this.kit.weather.calm());
  }

  private inject(fault: ProcessFault): void {
    const { random, kit, targets } = this;
    const { kernel, streams, databases, weather } = kit;
    weather.count(fault);
    switch (fault) {
      case 'scheduler crash':
        return this.scheduler().crash(random.between(50, 2_500));
      case 'worker crash':
        return random.pick(targets.workers).crash(random.between(50, 2_500));
      case 'api crash':
        return targets.clients.filter(({ alive }) => alive && random.chance(0.2)).forEach((client) => client.die());
      case 'scheduler pause':
        return this.pause(random.pick(targets.schedulers));
      case 'worker pause':
        return this.pause(random.pick(targets.workers));
      case 'worker drain':
        return random.pick(targets.workers).stop(5_000, random.between(50, 1_000));
      case 'scheduler stop':
        return this.scheduler().stop(5_000, random.between(50, 1_000));
      case 'streams wiped':
        return streams.broker.flush();
      case 'stream dropped':
        return streams.broker.drop(random.pick(streams.names));
      case 'group destroyed':
        return streams.broker.dropGroup(random.pick(streams.names), random.pick(['workers', 'schedulers']));
      case 'streams away':
      case 'streams away and wiped':
        kit.hub.isDown = true;
        streams.goAway();
        kernel.plan(kernel.outside, this.within(300, 4_000), 'streams are back', () => {
          kit.hub.isDown = false;
          streams.comeBack(fault === 'streams away and wiped');
        });
        return undefined;
      case 'database away':
        databases.isDown = true;
        databases.endAll();
        kernel.plan(kernel.outside, this.within(300, 4_000), 'database is back', () => (databases.isDown = false));
        return undefined;
      case 'sessions ended':
        return databases.endAll();
      case 'old message':
        return this.replay();
      case 'restore':
        return this.restore();
      default:
        return assertNever(fault);
    }
  }

  /** Where no step may be lost one scheduler lives on: with all of them away, heartbeats wait and leases end. */
  private scheduler(): Slot {
    const { schedulers } = this.targets;
    return this.random.pick(this.settings.isSteadfast ? schedulers.slice(1) : schedulers);
  }

  /** Longer than a lease, more often than not: the others believe it dead. */
  private pause(slot: Slot): void {
    if (slot.process.alive) this.kit.kernel.pause(slot.process, this.within(200, this.settings.times.lease * 4_000));
  }

  private replay(): void {
    const { streams } = this.kit;
    if (streams.seen.length === 0 || streams.isDown) return;
    for (let time = this.random.int(1, 10); time > 0; time -= 1) {
      const { stream, body } = this.random.pick(streams.seen);
      streams.broker.add(stream, body);
      streams.broker.wake([stream]);
    }
  }

  private restore(): void {
    const { kernel, databases } = this.kit;
    const { database } = databases;
    const backup = database.backup();
    const kept = new Set(database.runs.committed.keys());
    kernel.plan(kernel.outside, this.within(200, 2_500), 'the database fails and is restored', () => {
      databases.isDown = true;
      databases.endAll();
      kernel.plan(kernel.outside, this.random.between(200, 800), 'the restored database is there', () => {
        // Another fault's end may have let somebody in meanwhile.
        databases.endAll();
        for (const runId of database.runs.committed.keys()) if (!kept.has(runId)) this.lost.add(runId);
        database.restore(backup);
        this.checker.restored();
        databases.isDown = false;
      });
    });
  }

  /** A duration that ends before the calm begins, when there is so much time. */
  private within(low: number, high: number): number {
    const left = this.settings.calmAtMs - this.kit.kernel.elapsedMs;
    return Math.max(low, Math.min(this.random.between(low, high), left));
  }
}
