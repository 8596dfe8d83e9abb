import { randomUUID } from 'node:crypto';
import { of } from 'rxjs';
import { type EndedReport, type ReportMessage, type TaskMessage, groups, streams } from '#contracts';
import { createEvaluator } from '#definitions';
import { AdmissionReader, DecisionWriter, HotConnection, RunReader, SweepReader, WorkerSessions } from '#store';
import { type Logger, createMetrics } from '#telemetry';
import { type Delivery, InProcessStreamTransport, StreamBroker, type StreamConsumer } from '#transport';
import { AdmissionService } from '../../../../services/scheduler/src/admission/admission.service.ts';
import { AdvanceMetrics } from '../../../../services/scheduler/src/advance/advance-metrics.ts';
import { AdvanceService } from '../../../../services/scheduler/src/advance/advance.service.ts';
import { DecisionMaker } from '../../../../services/scheduler/src/advance/decision-maker.ts';
import { RunEvaluator } from '../../../../services/scheduler/src/advance/run-evaluator.ts';
import { TaskSender } from '../../../../services/scheduler/src/advance/task-sender.ts';
import { DeploymentDirectory } from '../../../../services/scheduler/src/deployments/deployment-directory.ts';
import { HeartbeatService } from '../../../../services/scheduler/src/heartbeats/heartbeat.service.ts';
import { PlanCache } from '../../../../services/scheduler/src/plans/plan-cache.ts';
import { ReportService } from '../../../../services/scheduler/src/reports/report.service.ts';
import { SweepService } from '../../../../services/scheduler/src/sweep/sweep.service.ts';
import type { TestDatabase } from '../database.ts';

export interface GivenSchedulerOptions {
  readonly database: TestDatabase;
  /** Shared by those that are to meet in their streams. */
  readonly broker?: StreamBroker;
  readonly epoch?: number;
  readonly workerLossesMax?: number;
  readonly silentLossesMax?: number;
  /** Runs of one deployment at once, where the deployment says nothing; 0: no limit. */
  readonly defaultLimit?: number;
  readonly leaseSeconds?: number;
  readonly heartbeatSeconds?: number;
  readonly perQueue?: number;
  /** Reports that are applied together. */
  readonly reportsMax?: number;
}

/** A line that a service logged. */
export interface LoggedLine {
  readonly level: string;
  readonly text: string;
  readonly data: object;
}

/** The services of one scheduler with connections of its own, without the process and the loops around them. `close` it. */
export class GivenScheduler {
  readonly broker: StreamBroker;
  readonly transport: InProcessStreamTransport;
  readonly advance: AdvanceService;
  readonly admission: AdmissionService;
  readonly sweeps: SweepService;
  readonly reports: ReportService;
  readonly heartbeats: HeartbeatService;
  readonly deployments: DeploymentDirectory;
  readonly keeping: HotConnection;
  /** What it published, oldest first. */
  readonly emitted: { pattern: string; data: unknown }[] = [];
  readonly logged: LoggedLine[] = [];
  readonly logger: Logger;
  readonly metrics = createMetrics('test');
  readonly epoch: number;
  private readonly reading: HotConnection;
  private readonly writing: HotConnection;
  private readonly evaluator = createEvaluator();

  private constructor(options: GivenSchedulerOptions) {
    const { database, defaultLimit = 0, leaseSeconds = 1, heartbeatSeconds = 0.3, workerLossesMax = 3, silentLossesMax = 20 } = options;
    this.epoch = options.epoch ?? 1;
    this.broker = options.broker ?? new StreamBroker();
    this.transport = new InProcessStreamTransport(this.broker);
    this.logger = loggerInto(this.logged);
    const connect = (name: string) => new HotConnection(database.schedulerUrl, `scheduler-${name}`);
    const reading = (this.reading = connect('read'));
    const writing = (this.writing = connect('write'));
    const keeping = (this.keeping = connect('keep'));
    const counted = new AdvanceMetrics(this.metrics);
    const events = {
      emit: (pattern: string, data: unknown) => {
        this.emitted.push({ pattern, data });
        return of(undefined);
      },
    } as ConstructorParameters<typeof TaskSender>[1];
    const reader = new RunReader(reading);
    const plans = new PlanCache(reading);
    const sessions = new WorkerSessions(keeping);
    this.deployments = new DeploymentDirectory(keeping, defaultLimit);
    const maker = new DecisionMaker(reader, plans, new RunEvaluator(reader, this.evaluator), {
      epoch: this.epoch,
      workerLossesMax,
      silentLossesMax,
    });
    const sender = new TaskSender(this.transport, events, this.deployments, this.epoch, this.logger);
    this.advance = new AdvanceService(maker, new DecisionWriter(writing, this.epoch), sender, counted);
    this.admission = new AdmissionService(
      new AdmissionReader(keeping),
      reader,
      plans,
      this.advance,
      this.deployments,
      options.perQueue ?? 500,
    );
    const times = { leaseSeconds, heartbeatSeconds };
    this.sweeps = new SweepService(
      new SweepReader(keeping),
      sessions,
      this.advance,
      this.transport,
      this.deployments,
      times,
      this.logger,
      this.metrics,
    );
    this.reports = new ReportService(this.advance, this.deployments, counted, this.logger, options.reportsMax ?? 500);
    this.heartbeats = new HeartbeatService(sessions, events, this.deployments, leaseSeconds);
  }

  static async open(options: GivenSchedulerOptions): Promise<GivenScheduler> {
    const scheduler = new GivenScheduler(options);
    await scheduler.deployments.refresh();
    return scheduler;
  }

  async close(): Promise<void> {
    await this.transport.close();
    await Promise.all([this.reading.close(), this.writing.close(), this.keeping.close(), this.evaluator.close()]);
  }

  /** Reads the reports of this deployment, as a replica would. */
  listen(deployment: string): StreamConsumer {
    return this.transport.consume({
      ...consuming(groups.schedulers, streams.reports(deployment)),
      batchMax: 500,
      handle: (batch) => this.reports.apply(batch),
    });
  }

  /** What waits in a deployment's task stream. */
  async waitingTasks(deployment: string): Promise<TaskMessage[]> {
    const head = await this.transport.waitingHead(streams.tasks(deployment), groups.workers, 100_000);
    return head.map(({ body }) => JSON.parse(body) as TaskMessage);
  }

  /** Takes what waits in a deployment's task stream, as a worker that acknowledges and is never heard of again. */
  async takeTasks(deployment: string): Promise<TaskMessage[]> {
    const taken = await this.waitingTasks(deployment);
    this.broker.drop(streams.tasks(deployment));
    return taken;
  }
}

/** What a worker says of a task. */
export function reportOf(
  task: Pick<TaskMessage, 'runId' | 'stepNo' | 'epoch' | 'dispatchNo'>,
  change: Partial<EndedReport> = {},
): ReportMessage {
  const { runId, stepNo, epoch, dispatchNo } = task;
  const head = { v: 1 as const, id: randomUUID(), runId, stepNo, epoch, dispatchNo, session: randomUUID() };
  return { kind: 'ended', ...head, ranMs: 3, outcome: 'succeeded', ...change };
}

export function startOf(task: Pick<TaskMessage, 'runId' | 'stepNo' | 'epoch' | 'dispatchNo'>): ReportMessage {
  const { v, id, runId, stepNo, epoch, dispatchNo, session } = reportOf(task);
  return { kind: 'started', v, id, runId, stepNo, epoch, dispatchNo, session };
}

let entries = 0;

/** Reports as they come out of a deployment's stream. */
export function deliveriesOf(deployment: string, reports: readonly object[]): Delivery[] {
  return reports.map((report) => {
    entries += 1;
    return { stream: streams.reports(deployment), id: `${entries}-0`, body: JSON.stringify(report), deliveries: 1 };
  });
}

/** How tests read streams: fast, and without giving up. */
export function consuming(group: string, ...names: readonly string[]) {
  return {
    group,
    consumer: randomUUID(),
    streams: names,
    inFlightMax: 1_000,
    reclaimIdleMs: 5_000,
    reclaimEveryMs: 1_000,
    deliveriesMax: 100,
    deadLetterLengthMax: 1_000,
    redeliveryMs: 10,
    redeliveryMsMax: 100,
    acknowledge: 'auto' as const,
  };
}

function loggerInto(lines: LoggedLine[]): Logger {
  const at = (level: string) => (data: object, text: string) => void lines.push({ level, text, data });
  const logger = { trace: at('trace'), debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), fatal: at('fatal') };
  return logger as unknown as Logger;
}
