import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { CONNECTOR_KINDS } from '#connectors';
import type { ControlMessage } from '#contracts';
import type { Logger, Metrics, ReadinessCheck } from '#telemetry';
import type { StreamTransport } from '#transport';
import type { WorkerConfig } from './config.ts';
import { StepPools, type StepRunners } from './processes/step-pools.ts';
import type { EpochSource } from './sessions/epoch-source.ts';
import { WorkerSession } from './sessions/worker-session.ts';
import { kindsOf, type Kind } from './steps/kinds.ts';
import { WorkerMetrics } from './worker-metrics.ts';

/** What a worker is built from. `openTransport` is called once per epoch; the worker closes what it opened. */
export interface WorkerParts {
  readonly config: WorkerConfig;
  readonly openTransport: (epoch: number) => StreamTransport;
  readonly epochs: EpochSource;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Step processes that several workers share; whoever made them closes them. Without, the worker has its own. */
  readonly sharedPools?: StepRunners;
}

export const WORKER_PARTS = Symbol('worker parts');

/** A worker is red when it has heard nothing for so long (I11). */
const silenceSecondsMax = 10;

interface Life {
  readonly epoch: number;
  readonly transport: StreamTransport;
  readonly session: WorkerSession;
}

/** One deployment's worker: keeps a session under the current epoch from the start of the process to its drain. */
@Injectable()
export class WorkerService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly pools: StepRunners;
  private readonly metrics: WorkerMetrics;
  private kinds: ReadonlyMap<string, Kind> = new Map();
  private life: Life | undefined;
  /** Only ever forward: an older epoch is that of a database from before a restore. */
  private newestEpoch = 1;
  private following: Promise<void> | undefined;
  private stopping: Promise<void> | undefined;
  private wake: () => void = () => undefined;

  constructor(@Inject(WORKER_PARTS) private readonly parts: WorkerParts) {
    const { config } = parts;
    this.pools = parts.sharedPools ?? new StepPools(config);
    this.metrics = new WorkerMetrics(parts.metrics, config.deployment, () => ({
      running: this.life?.session.counts.running ?? 0,
      waiting: this.life?.session.counts.waiting ?? 0,
      heartbeatAgeSeconds: this.life?.session.heartbeatAgeSeconds ?? 0,
    }));
  }

  /** Rejects when a handler module does not load: a worker without its handlers would fail every step. */
  async onApplicationBootstrap(): Promise<void> {
    const { config, logger } = this.parts;
    this.kinds = kindsOf(CONNECTOR_KINDS, await this.pools.handlers());
    logger.info(
      { deployment: config.deployment, kinds: [...this.kinds.keys()], concurrency: config.concurrency },
      'The worker is ready for tasks.',
    );
    this.following = this.followEpoch();
  }

  /** Drains. Safe to call twice. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping ??= this.stop();
    await this.stopping;
  }

  /** What a control message asks for; may come at any time. */
  apply(message: ControlMessage): void {
    this.life?.session.apply(message);
  }

  /** How the worker is: its way to the streams, and its lease. */
  get checks(): Readonly<Record<string, ReadinessCheck>> {
    return { streams: () => this.checkStreams(), lease: () => this.checkLease() };
  }

  /** Ends all step processes of its own now, without a word. */
  async killSteps(): Promise<void> {
    if (!this.parts.sharedPools) await this.pools.close();
  }

  private async stop(): Promise<void> {
    this.wake();
    await this.following;
    const { config, logger } = this.parts;
    const counts = this.life?.session.counts;
    logger.info({ deployment: config.deployment, ...counts, drainSeconds: config.drainSeconds }, 'Draining: no more tasks are taken.');
    await this.life?.session.drain(config.drainSeconds * 1000);
    await this.killSteps();
    await this.life?.transport.close();
    await this.parts.epochs.close();
    logger.info({ deployment: config.deployment }, 'Drained.');
  }

  private async followEpoch(): Promise<void> {
    let told = false;
    while (!this.stopping) {
      const epoch = await this.readEpoch();
      if (epoch === null && !this.life && !told) this.parts.logger.info('Waiting for a scheduler to tell the epoch.');
      told ||= epoch === null;
      if (epoch !== null && epoch >= this.newestEpoch && epoch !== this.life?.epoch) await this.tryToBegin(epoch);
      await this.rest(this.parts.config.heartbeatSeconds * 1000);
    }
  }

  private async readEpoch(): Promise<number | null> {
    try {
      return await this.parts.epochs.current();
    } catch (error) {
      this.parts.logger.warn({ err: error }, 'The epoch could not be read; trying again.');
      return null;
    }
  }

  private async tryToBegin(epoch: number): Promise<void> {
    this.newestEpoch = epoch;
    try {
      await this.end();
      await this.begin(epoch);
    } catch (error) {
      this.parts.logger.error({ err: error, epoch }, 'No session could be begun; trying again.');
      await this.end();
    }
  }

  private async begin(epoch: number): Promise<void> {
    const { config, logger, openTransport } = this.parts;
    const transport = openTransport(epoch);
    const session = new WorkerSession(
      { ...config, epoch },
      { transport, kinds: this.kinds, pools: this.pools, metrics: this.metrics, log: logger },
    );
    this.life = { epoch, transport, session };
    await session.start();
  }

  /** Ends the session of an epoch that is over. */
  private async end(): Promise<void> {
    const over = this.life;
    if (!over) return;
    this.life = undefined;
    this.parts.logger.warn({ epoch: over.epoch }, 'The session is over: its steps are ended.');
    await over.session.abandon();
    await over.transport.close();
  }

  private async rest(forMs: number): Promise<void> {
    if (this.stopping) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, forMs);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private async checkStreams(): Promise<void> {
    if (this.stopping) throw new Error('the worker is draining');
    if (!this.life) throw new Error('no scheduler has told the epoch yet');
    const { connected, quietMs } = this.life.transport.health;
    const silentSeconds = Math.round(quietMs / 1000);
    if (!connected && silentSeconds > silenceSecondsMax) throw new Error(`no contact for ${silentSeconds} s`);
    await this.life.transport.ping(1_500);
  }

  private async checkLease(): Promise<void> {
    const age = this.life?.session.heartbeatAgeSeconds ?? 0;
    const limit = Math.max(silenceSecondsMax, this.parts.config.leaseSeconds);
    if (age > limit) throw new Error(`no heartbeat has arrived for ${Math.round(age)} s`);
    await Promise.resolve();
  }
}
