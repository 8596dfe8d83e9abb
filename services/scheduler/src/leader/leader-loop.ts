import { ensurePartitions, forgetKeys, readEpoch, releaseLease, takeLease, type HotConnection } from '#store';
import type { Logger, Metrics } from '#telemetry';
import type { StreamTransport } from '#transport';
import type { AdmissionService } from '../admission/admission.service.ts';
import type { LeaderWork } from '../advance/advance.service.ts';
import { isOutage } from '../advance/outage.ts';
import type { DeploymentDirectory } from '../deployments/deployment-directory.ts';
import type { SweepService } from '../sweep/sweep.service.ts';
import type { WakeSignal } from './wake-signal.ts';

const LEASE_NAME = 'scheduler';
const PARTITION_CHECK_MS = 3_600_000;
const PARTITION_DAYS_ALERT = 7;
const KEYS_FORGET_MS = 60_000;
/** Keys that one statement forgets. */
const KEYS_FORGET_MAX = 5_000;
const DIRECTORY_MS = 5_000;
/** Longest rest after a round that failed. It is spread, so that a database that comes back is not met by all schedulers at once. */
const FAILED_REST_MS_MAX = 2_000;
/** Rest after a round that fired nothing: a timer that is due all the same came due this moment, or nothing can fire it. */
const UNFIRED_REST_MS = 50;

export interface LeaderLoopOptions {
  readonly holder: string;
  readonly leaseSeconds: number;
  readonly sweepSeconds: number;
  /** How long an idempotency key is remembered. */
  readonly idempotencyHours: number;
  readonly epoch: number;
  /** Called when the database's epoch is no longer the one this process began with: it must start anew. */
  readonly onEpochChanged: (epoch: number) => void;
  readonly onRound: () => Promise<void>;
  /** Called after deployments came or went. */
  readonly onDeploymentsChanged: () => Promise<void>;
}

/**
 * The duties that one scheduler does at a time: admission, timers, sweeps, partitions. A lease row says who; should two hold it for a moment,
 * nothing breaks, since every step goes through the same guarded decision. Others take over when the lease runs out.
 */
export class LeaderLoop {
  /** The lease while it is ours, with a moment of `performance.now()` before the database gave it: until when it holds there, it holds here. */
  private held: { readonly term: number; readonly since: number } | null = null;
  private stopping = false;
  private done: Promise<void> = Promise.resolve();
  private sweptAt = 0;
  private partitionsAt = 0;
  private directoryAt = 0;
  private keysAt = 0;
  private generation: string | null = null;
  /** By when the loop should have come around again: readiness follows it. */
  private dueAt = performance.now();

  constructor(
    private readonly connection: HotConnection,
    private readonly transport: StreamTransport,
    private readonly admission: AdmissionService,
    private readonly sweeps: SweepService,
    private readonly deployments: DeploymentDirectory,
    private readonly bell: WakeSignal,
    private readonly logger: Logger,
    private readonly options: LeaderLoopOptions,
    metrics: Metrics,
  ) {
    metrics.gauge({
      name: 'flowforge_scheduler_leader',
      help: '1 while this scheduler holds the leader lease.',
      collect: (gauge) => gauge.set(this.held === null ? 0 : 1),
    });
  }

  get isLeader(): boolean {
    return this.held !== null;
  }

  /** How late the loop is to come around with its work done, in milliseconds. Its rests do not count. */
  get silentMs(): number {
    return Math.max(0, performance.now() - this.dueAt);
  }

  /** Hears from its own process what has changed, while this scheduler leads. A free place is of no interest where nobody waits for one. */
  hear(work: LeaderWork): void {
    if (work === 'due') this.admission.lookAtEverybody();
    if (work === 'due' || (work === 'place' && this.admission.mayAwaitPlaces)) this.bell.ring();
  }

  start(): void {
    this.done = this.run();
  }

  /** Finishes the round under way. Safe to call twice. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.bell.ring();
    await this.done;
    if (this.held) await releaseLease(this.connection, LEASE_NAME, this.options.holder).catch(() => {});
    this.held = null;
  }

  private async run(): Promise<void> {
    for (let failures = 0; !this.stopping;) {
      let restMs = Math.min(this.options.sweepSeconds * 1000, FAILED_REST_MS_MAX) * (0.5 + Math.random() / 2);
      try {
        restMs = await this.round();
        this.dueAt = performance.now() + restMs;
        failures = 0;
      } catch (error) {
        failures += 1;
        // An outage is told once: who looks after the database and the streams tells when it is over.
        if (failures === 1 || !isOutage(error)) this.logger.error({ err: error }, 'a round of the leader duties failed; it is tried again');
      }
      if (!this.stopping) await this.bell.wait(restMs);
    }
  }

  /** One round. Returns how long nothing is due, in milliseconds. */
  private async round(): Promise<number> {
    const sweepMs = this.options.sweepSeconds * 1000;
    if (this.isDue('directoryAt', Math.min(DIRECTORY_MS, sweepMs * 2))) await this.refreshDirectory();
    await this.lead();
    if (!this.held) return sweepMs;
    // failpoint p4: this scheduler holds the lease, and has done nothing with it
    if (this.isDue('partitionsAt', PARTITION_CHECK_MS)) await this.makePartitions();
    // However much is due: the lease is renewed, and each duty has its turn, before it could run out.
    const leaseMs = this.options.leaseSeconds * 1000;
    const until = Math.min(performance.now() + leaseMs / 2, this.held.since + (leaseMs * 2) / 3);
    // Side by side: a run that was just submitted does not wait for the look at the timers.
    const [fired] = await this.bothDone(this.sweeps.fireDue(until), this.admission.admitAll(until));
    const isBehind = performance.now() >= until;
    const emptied = await this.redisWasEmptied();
    if (emptied || this.isDue('sweptAt', sweepMs)) await this.sweeps.sweep(emptied);
    if (!isBehind && this.isDue('keysAt', KEYS_FORGET_MS)) await this.forgetKeys(until);
    if (isBehind) return 0;
    const nextMs = (await this.sweeps.nextTimerInMs()) ?? sweepMs;
    return Math.min(sweepMs, fired ? nextMs : Math.max(nextMs, UNFIRED_REST_MS));
  }

  /**
   * The results of both, when both are over: a round does not begin while something of the last one is under way. Throws what one threw; when both
   * did, the other's is told here.
   */
  private async bothDone<One, Other>(one: Promise<One>, other: Promise<Other>): Promise<[One, Other]> {
    const [first, second] = await Promise.allSettled([one, other]);
    if (first.status === 'rejected' && second.status === 'rejected' && !isOutage(second.reason))
      this.logger.error({ err: second.reason }, 'a duty of the leader failed beside another; it is tried again');
    return [await one, await other];
  }

  private isDue(clock: 'sweptAt' | 'partitionsAt' | 'directoryAt' | 'keysAt', everyMs: number): boolean {
    const now = performance.now();
    if (this[clock] !== 0 && now - this[clock] < everyMs) return false;
    this[clock] = now;
    return true;
  }

  /** Takes the lease, or renews it when a third of it is gone: the way from a wake-up to the dispatch needs no commit for it. */
  private async lead(): Promise<void> {
    const { holder, leaseSeconds, sweepSeconds } = this.options;
    // A round may last until two thirds of the lease, and the rest behind it a sweep.
    const trustedMs = sweepSeconds <= leaseSeconds / 3 ? (leaseSeconds * 1000) / 3 : 0;
    const since = performance.now();
    if (this.held && since - this.held.since < trustedMs) return;
    // failpoint p13: the lease is about to be taken or renewed
    const term = await takeLease(this.connection, LEASE_NAME, holder, leaseSeconds);
    if (term !== null && !this.held) this.logger.info({ term }, 'this scheduler leads now');
    if (term === null && this.held) this.logger.warn({}, 'another scheduler leads now');
    this.held = term === null ? null : { term, since };
  }

  private async refreshDirectory(): Promise<void> {
    const epoch = await readEpoch(this.connection);
    if (epoch !== this.options.epoch) this.options.onEpochChanged(epoch);
    if (await this.deployments.refresh()) await this.options.onDeploymentsChanged();
    await this.options.onRound();
  }

  private async makePartitions(): Promise<void> {
    const { made, days } = await ensurePartitions(this.connection);
    if (made > 0) this.logger.info({ made, days }, 'partitions were made ahead');
    if (days < PARTITION_DAYS_ALERT) this.logger.error({ days }, 'partitions run out');
  }

  private async forgetKeys(until: number): Promise<void> {
    let gone = KEYS_FORGET_MAX;
    while (gone === KEYS_FORGET_MAX && performance.now() < until)
      gone = await forgetKeys(this.connection, this.options.idempotencyHours, KEYS_FORGET_MAX);
    // The time of the round was over before they were: the next round goes on.
    if (gone === KEYS_FORGET_MAX) this.keysAt = 0;
  }

  /** True once after Redis lost what it held. Redis being away is no reason to stop: admission and timers go on. */
  private async redisWasEmptied(): Promise<boolean> {
    if (!this.transport.health.connected) return false;
    const generation = await this.transport.generation().catch(() => this.generation);
    const emptied = this.generation !== null && generation !== this.generation;
    this.generation = generation;
    if (emptied) this.logger.warn({}, 'the stream server was emptied; what it held is rebuilt from the database');
    return emptied;
  }
}
