import { channels, epochKey, streams } from '#contracts';
import { AdmissionReader, DecisionWriter, RunReader, SweepReader, WorkerSessions, readEpoch } from '#store';
import type { Delivery } from '#transport';
import { AdmissionService } from '../../../services/scheduler/src/admission/admission.service.ts';
import { AdvanceMetrics } from '../../../services/scheduler/src/advance/advance-metrics.ts';
import { AdvanceService } from '../../../services/scheduler/src/advance/advance.service.ts';
import { DecisionMaker } from '../../../services/scheduler/src/advance/decision-maker.ts';
import { RunEvaluator } from '../../../services/scheduler/src/advance/run-evaluator.ts';
import { TaskSender } from '../../../services/scheduler/src/advance/task-sender.ts';
import { SchedulerSettings, type SchedulerConfig } from '../../../services/scheduler/src/config.ts';
import { DeploymentDirectory } from '../../../services/scheduler/src/deployments/deployment-directory.ts';
import { HeartbeatService } from '../../../services/scheduler/src/heartbeats/heartbeat.service.ts';
import { LeaderLoop } from '../../../services/scheduler/src/leader/leader-loop.ts';
import { WakeSignal } from '../../../services/scheduler/src/leader/wake-signal.ts';
import { PlanCache } from '../../../services/scheduler/src/plans/plan-cache.ts';
import { ReportService } from '../../../services/scheduler/src/reports/report.service.ts';
import { familiesOf } from '../../../services/scheduler/src/stream-families.ts';
import { SweepService } from '../../../services/scheduler/src/sweep/sweep.service.ts';
import { withoutRules } from './broken-reports.ts';
import type { ProcessKit, WorldTimes } from './process-kit.ts';

const EPOCH_KEY_MS = 7 * 86_400_000;

export function schedulerConfig(times: WorldTimes): SchedulerConfig {
  return SchedulerSettings.parse({
    DATABASE_URL: 'postgres://scheduler:secret@simulated/flowforge',
    REDIS_URL: 'redis://simulated',
    LEASE_SECONDS: String(times.lease),
    HEARTBEAT_SECONDS: String(times.heartbeat),
    SWEEP_SECONDS: String(times.sweep),
    WORKFLOW_MAX_CONCURRENT_EXECUTIONS: '0',
    NODE_ENV: 'test',
  });
}

/** The services of a scheduler over simulated connections: the classes of the module, put together as it puts them together. */
export function schedulerServices(kit: ProcessKit, config: SchedulerConfig, epoch: number) {
  const { logger, metrics, evaluator } = kit.plain;
  const [reading, writing, keeping] = [kit.connection('read'), kit.connection('write'), kit.connection('keep')];
  const transport = kit.transport(epoch);
  const events = kit.hub.client;
  const limits = {
    epoch: kit.broken.has('epoch in the token') ? 1 : epoch,
    workerLossesMax: kit.broken.has('worker losses are counted') ? 1_000_000 : config.WORKER_LOSSES_MAX,
    silentLossesMax: config.SILENT_LOSSES_MAX,
  };
  const deployments = new DeploymentDirectory(keeping, config.WORKFLOW_MAX_CONCURRENT_EXECUTIONS);
  const plans = new PlanCache(reading);
  const reader = new RunReader(reading);
  const counted = new AdvanceMetrics(metrics);
  const maker = new DecisionMaker(reader, plans, new RunEvaluator(reader, evaluator), limits);
  const advance = new AdvanceService(
    maker,
    new DecisionWriter(writing, epoch),
    new TaskSender(transport, events, deployments, epoch, logger),
    counted,
  );
  const sessions = new WorkerSessions(keeping);
  const times = { leaseSeconds: config.LEASE_SECONDS, heartbeatSeconds: config.HEARTBEAT_SECONDS };
  return {
    ...{ reading, writing, keeping, transport, deployments, plans, advance },
    reports: new ReportService(advance, deployments, counted, logger, config.REPORT_BATCH),
    heartbeats: new HeartbeatService(sessions, events, deployments, config.LEASE_SECONDS),
    admission: new AdmissionService(new AdmissionReader(keeping), reader, plans, advance, deployments, config.ADMISSION_BATCH),
    sweeps: new SweepService(new SweepReader(keeping), sessions, advance, transport, deployments, times, logger, metrics),
  };
}

/** A scheduler process, from its start: learns the epoch, reads its streams, follows its duties. */
export class SimulatedScheduler {
  private leader: LeaderLoop | null = null;
  private readonly consumers: { stop(options: { graceMs: number }): Promise<void> }[] = [];

  constructor(private readonly kit: ProcessKit) {}

  get isLeader(): boolean {
    return this.leader?.isLeader ?? false;
  }

  /** Tries until it has started; its end is told to `onExit`. */
  async start(onExit: () => void): Promise<void> {
    const { kit } = this;
    const config = schedulerConfig(kit.times);
    const probe = kit.connection('probe');
    const epoch = await readEpoch(probe);
    await probe.close();
    const outside = kit.transport(null);
    const services = schedulerServices(kit, config, epoch);
    const { deployments, advance, admission, sweeps, keeping, transport } = services;
    const bell = new WakeSignal();
    kit.hub.subscribe(channels.runsSubmitted, () => bell.ring());
    const leader = new LeaderLoop(
      keeping,
      transport,
      admission,
      sweeps,
      deployments,
      bell,
      kit.plain.logger,
      {
        holder: kit.kernel.random.uuid(),
        ...{ leaseSeconds: config.LEASE_SECONDS, sweepSeconds: config.SWEEP_SECONDS, idempotencyHours: config.IDEMPOTENCY_HOURS, epoch },
        onEpochChanged: () => onExit(),
        onRound: () => outside.mark(epochKey, String(epoch), EPOCH_KEY_MS).catch(() => undefined),
        onDeploymentsChanged: () => Promise.resolve(),
      },
      kit.plain.metrics,
    );
    this.leader = leader;
    advance.onRunsChanged((_runs, work) => {
      if (leader.isLeader) leader.hear(work);
      else if (work !== 'none') kit.hub.client.emit(channels.runsSubmitted, { count: 0 });
    });
    await deployments.refresh();
    const families = familiesOf(config, kit.kernel.random.uuid());
    const apply = withoutRules(kit.broken, kit.databases.database, (batch: readonly Delivery[]) => services.reports.apply(batch));
    this.consumers.push(
      transport.consume({ ...families.reports, streams: deployments.names.map(streams.reports), handle: apply }),
      transport.consume({
        ...families.heartbeats,
        streams: deployments.names.map(streams.heartbeats),
        handle: (batch) => services.heartbeats.take(batch),
      }),
    );
    leader.start();
  }

  /** Stops in order: no more batches, then the duties, then the connections. */
  async stop(): Promise<void> {
    await Promise.all(this.consumers.map((consumer) => consumer.stop({ graceMs: 10_000 })));
    await this.leader?.stop();
  }
}
