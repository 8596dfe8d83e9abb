import { Inject, Module, type DynamicModule, type OnApplicationBootstrap, type OnApplicationShutdown, type Provider } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { channels } from '#contracts';
import { createEvaluator, type Evaluator } from '#definitions';
import { AdmissionReader, DecisionWriter, HotConnection, RunReader, SweepReader, WorkerSessions, type SessionWatch } from '#store';
import type { Logger, Metrics } from '#telemetry';
import type { StreamTransport } from '#transport';
import { AdmissionService } from './admission/admission.service.ts';
import { AdvanceMetrics } from './advance/advance-metrics.ts';
import { AdvanceService } from './advance/advance.service.ts';
import { DecisionMaker } from './advance/decision-maker.ts';
import { RunEvaluator } from './advance/run-evaluator.ts';
import { TaskSender } from './advance/task-sender.ts';
import type { SchedulerConfig } from './config.ts';
import { DeploymentDirectory } from './deployments/deployment-directory.ts';
import { HeartbeatController } from './heartbeats/heartbeat.controller.ts';
import { HeartbeatService } from './heartbeats/heartbeat.service.ts';
import { LeaderLoop } from './leader/leader-loop.ts';
import { WakeSignal } from './leader/wake-signal.ts';
import { LogController } from './logs/log.controller.ts';
import { PlanCache } from './plans/plan-cache.ts';
import { ReportController } from './reports/report.controller.ts';
import { ReportService } from './reports/report.service.ts';
import { StatusController } from './status/status.controller.ts';
import { SweepService } from './sweep/sweep.service.ts';
import { EPOCH, EVENTS, KEEPING, LOGGER, METRICS, READING, SCHEDULER_CONFIG, STREAM_TRANSPORT, WRITING } from './tokens.ts';
import type { EventsClient } from './events-client.ts';

/** What the process around the scheduler gives it: where its rows, streams and events are, and whom to tell. */
export interface SchedulerSurroundings {
  readonly config: SchedulerConfig;
  readonly databaseUrl: string;
  /** Looks after the sessions that are opened here. */
  readonly watch: SessionWatch;
  readonly epoch: number;
  readonly transport: StreamTransport;
  readonly events: EventsClient;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly onEpochChanged: (epoch: number) => void;
  /** Called every few seconds, by every scheduler. */
  readonly onRound: () => Promise<void>;
  /** The deployments whose streams are to be read, at the start and after each change. */
  readonly onDeployments: (names: readonly string[]) => Promise<void>;
}

const EVALUATOR = Symbol('evaluator');
const SURROUNDINGS = Symbol('surroundings');

function providersOf(surroundings: SchedulerSurroundings): Provider[] {
  const { config, databaseUrl, watch, epoch, transport, events, logger, metrics } = surroundings;
  const limits = { epoch, workerLossesMax: config.WORKER_LOSSES_MAX, silentLossesMax: config.SILENT_LOSSES_MAX };
  const times = { leaseSeconds: config.LEASE_SECONDS, heartbeatSeconds: config.HEARTBEAT_SECONDS };
  const connect = (name: string) => new HotConnection(databaseUrl, `scheduler-${name}`, undefined, watch.openClient);
  return [
    { provide: SURROUNDINGS, useValue: surroundings },
    { provide: SCHEDULER_CONFIG, useValue: config },
    { provide: EPOCH, useValue: epoch },
    { provide: STREAM_TRANSPORT, useValue: transport },
    { provide: EVENTS, useValue: events },
    { provide: LOGGER, useValue: logger },
    { provide: METRICS, useValue: metrics },
    { provide: READING, useFactory: () => connect('read') },
    { provide: WRITING, useFactory: () => connect('write') },
    { provide: KEEPING, useFactory: () => connect('keep') },
    { provide: EVALUATOR, useFactory: () => createEvaluator() },
    { provide: WakeSignal, useFactory: () => new WakeSignal() },
    { provide: AdvanceMetrics, useFactory: () => new AdvanceMetrics(metrics) },
    {
      provide: DeploymentDirectory,
      inject: [KEEPING],
      useFactory: (keeping: HotConnection) => new DeploymentDirectory(keeping, config.WORKFLOW_MAX_CONCURRENT_EXECUTIONS),
    },
    { provide: PlanCache, inject: [READING], useFactory: (reading: HotConnection) => new PlanCache(reading) },
    { provide: RunReader, inject: [READING], useFactory: (reading: HotConnection) => new RunReader(reading) },
    { provide: DecisionWriter, inject: [WRITING], useFactory: (writing: HotConnection) => new DecisionWriter(writing, epoch) },
    { provide: WorkerSessions, inject: [KEEPING], useFactory: (keeping: HotConnection) => new WorkerSessions(keeping) },
    {
      provide: DecisionMaker,
      inject: [RunReader, PlanCache, EVALUATOR],
      useFactory: (reader: RunReader, plans: PlanCache, evaluator: Evaluator) =>
        new DecisionMaker(reader, plans, new RunEvaluator(reader, evaluator), limits),
    },
    {
      provide: AdvanceService,
      inject: [DecisionMaker, DecisionWriter, DeploymentDirectory, AdvanceMetrics],
      useFactory: (maker: DecisionMaker, writer: DecisionWriter, deployments: DeploymentDirectory, counted: AdvanceMetrics) =>
        new AdvanceService(maker, writer, new TaskSender(transport, events, deployments, epoch, logger), counted),
    },
    {
      provide: ReportService,
      inject: [AdvanceService, DeploymentDirectory, AdvanceMetrics],
      useFactory: (advance: AdvanceService, deployments: DeploymentDirectory, counted: AdvanceMetrics) =>
        new ReportService(advance, deployments, counted, logger, config.REPORT_BATCH),
    },
    {
      provide: HeartbeatService,
      inject: [WorkerSessions, DeploymentDirectory],
      useFactory: (sessions: WorkerSessions, deployments: DeploymentDirectory) =>
        new HeartbeatService(sessions, events, deployments, config.LEASE_SECONDS),
    },
    {
      provide: AdmissionService,
      inject: [KEEPING, RunReader, PlanCache, AdvanceService, DeploymentDirectory],
      useFactory: (keeping: HotConnection, runs: RunReader, plans: PlanCache, advance: AdvanceService, deployments: DeploymentDirectory) =>
        new AdmissionService(new AdmissionReader(keeping), runs, plans, advance, deployments, config.ADMISSION_BATCH),
    },
    {
      provide: SweepService,
      inject: [KEEPING, WorkerSessions, AdvanceService, DeploymentDirectory],
      useFactory: (keeping: HotConnection, sessions: WorkerSessions, advance: AdvanceService, deployments: DeploymentDirectory) =>
        new SweepService(new SweepReader(keeping), sessions, advance, transport, deployments, times, logger, metrics),
    },
    {
      provide: LeaderLoop,
      inject: [KEEPING, AdmissionService, SweepService, DeploymentDirectory, WakeSignal],
      useFactory: (
        keeping: HotConnection,
        admission: AdmissionService,
        sweeps: SweepService,
        deployments: DeploymentDirectory,
        bell: WakeSignal,
      ) => {
        const { LEASE_SECONDS: leaseSeconds, SWEEP_SECONDS: sweepSeconds, IDEMPOTENCY_HOURS: idempotencyHours } = config;
        const onDeploymentsChanged = () => surroundings.onDeployments(deployments.names);
        const options = {
          holder: randomUUID(),
          leaseSeconds,
          sweepSeconds,
          idempotencyHours,
          epoch,
          onEpochChanged: surroundings.onEpochChanged,
          onRound: surroundings.onRound,
          onDeploymentsChanged,
        };
        return new LeaderLoop(keeping, transport, admission, sweeps, deployments, bell, logger, options, metrics);
      },
    },
  ];
}

/** The scheduler: admits runs, advances them by what workers report, fires timers, finds what was lost. */
@Module({ controllers: [ReportController, HeartbeatController, LogController, StatusController] })
export class SchedulerModule implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    private readonly leader: LeaderLoop,
    private readonly advance: AdvanceService,
    private readonly deployments: DeploymentDirectory,
    @Inject(SURROUNDINGS) private readonly surroundings: SchedulerSurroundings,
    @Inject(READING) private readonly reading: HotConnection,
    @Inject(WRITING) private readonly writing: HotConnection,
    @Inject(KEEPING) private readonly keeping: HotConnection,
    @Inject(EVALUATOR) private readonly evaluator: Evaluator,
  ) {}

  static register(surroundings: SchedulerSurroundings): DynamicModule {
    return { module: SchedulerModule, providers: providersOf(surroundings), exports: [LeaderLoop] };
  }

  async onApplicationBootstrap(): Promise<void> {
    const { events, onDeployments } = this.surroundings;
    this.advance.onRunsChanged((runs, work) => {
      // Both may be lost: views read again, and the leader looks at least once per sweep.
      events.emit(channels.runsChanged, { runs }).subscribe({ error: () => {} });
      if (this.leader.isLeader) this.leader.hear(work);
      else if (work !== 'none') events.emit(channels.runsSubmitted, { count: 0 }).subscribe({ error: () => {} });
    });
    await this.deployments.refresh();
    await onDeployments(this.deployments.names);
    this.leader.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.leader.stop();
    await this.evaluator.close();
    await Promise.all([this.reading.close(), this.writing.close(), this.keeping.close()]);
  }
}
