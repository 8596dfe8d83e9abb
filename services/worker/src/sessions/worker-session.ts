import { groups, streams, type ControlMessage, type TaskMessage } from '#contracts';
import { redactText, type Logger } from '#telemetry';
import type { Delivery, StreamConsumer, StreamTransport } from '#transport';
import { Heartbeat } from '../heartbeats/heartbeat.ts';
import { LogShipper } from '../logs/log-shipper.ts';
import { StepLog } from '../logs/step-log.ts';
import type { StepRunners } from '../processes/step-pools.ts';
import type { SupervisedEnd } from '../processes/supervised-step.ts';
import { endedReport, startedReport } from '../reports/report-of.ts';
import { ReportQueue } from '../reports/report-queue.ts';
import { HeldStep, HeldSteps } from '../steps/held-step.ts';
import type { Kind } from '../steps/kinds.ts';
import { StepLanes } from '../steps/step-lanes.ts';
import { TaskIntake } from '../steps/task-intake.ts';
import type { WorkerMetrics } from '../worker-metrics.ts';

export interface SessionSettings {
  readonly deployment: string;
  readonly worker: string;
  readonly epoch: number;
  readonly concurrency: number;
  readonly prefetch: number;
  readonly heartbeatSeconds: number;
  readonly leaseSeconds: number;
  readonly cancelGraceSeconds: number;
  /** Text of log lines that may wait for the stream. Default: 8 Mi characters. */
  readonly logWaitingCharactersMax?: number;
}

export interface SessionSurroundings {
  readonly transport: StreamTransport;
  readonly kinds: ReadonlyMap<string, Kind>;
  readonly pools: StepRunners;
  readonly metrics: WorkerMetrics;
  readonly log: Logger;
}

const logWaitingDefault = 8 * 1024 * 1024;
const deliveriesMax = 5;
const deadLetterLengthMax = 10_000;
/** Last lines and reports of a worker that leaves. */
const farewellMs = 2_000;

/** A worker's life under one epoch: takes tasks, runs them, reports them, renews its lease. */
export class WorkerSession {
  private readonly held = new HeldSteps();
  private readonly logsOf = new Map<HeldStep, StepLog>();
  private readonly lanes: StepLanes;
  private readonly reports: ReportQueue;
  private readonly logs: LogShipper;
  private readonly heartbeat: Heartbeat;
  private readonly intake: TaskIntake;
  private consumer: StreamConsumer | undefined;
  private draining = false;

  constructor(
    private readonly settings: SessionSettings,
    private readonly around: SessionSurroundings,
  ) {
    const { deployment, logWaitingCharactersMax = logWaitingDefault } = settings;
    const { transport, metrics, log } = around;
    this.lanes = new StepLanes(settings, around.kinds, around.pools, {
      line: (step, line) => this.logOf(step).add(line),
      announces: (step) => this.announce(step),
      stillRunning: (step) => this.reportStart(step),
      ended: (step, end) => this.end(step, end),
    });
    this.reports = new ReportQueue(transport, deployment, {
      sent: (size) => metrics.reportsSent(size),
      failed: (error) => log.warn({ err: error }, 'Reports could not be sent; trying again.'),
    });
    this.logs = new LogShipper(transport, { deployment, waitingCharactersMax: logWaitingCharactersMax }, (error) =>
      log.warn({ err: error }, 'Log lines could not be sent; trying again.'),
    );
    this.heartbeat = new Heartbeat(
      transport,
      { ...settings, kinds: [...around.kinds.keys()] },
      {
        held: () => this.held.listed(),
        leaseLost: () => this.loseLease(),
        failed: (error) => log.warn({ err: error }, 'A heartbeat could not be sent.'),
      },
    );
    const hasEffect = (uses: string) => around.kinds.get(uses)?.place !== 'here';
    const lane = { deployment, epoch: settings.epoch, hasEffect };
    this.intake = new TaskIntake(transport, this.held, lane, {
      accepted: (task, delivery, replaces) => this.accept(task, delivery, replaces),
      skipped: (delivery, why) => this.skip(delivery, why),
      refused: (delivery, reason) => this.refuse(delivery, reason),
    });
  }

  get heartbeatAgeSeconds(): number {
    return this.heartbeat.ageSeconds;
  }

  get counts(): { running: number; waiting: number; held: number } {
    return { running: this.lanes.runningCount, waiting: this.lanes.waitingCount, held: this.held.size };
  }

  /** Announces itself first, so that the scheduler knows the session before its first report. */
  async start(): Promise<void> {
    const { deployment, worker, prefetch, leaseSeconds } = this.settings;
    await this.heartbeat.start();
    this.consumer = this.around.transport.consume({
      group: groups.workers,
      consumer: `${worker}:${this.heartbeat.session}`,
      streams: [streams.tasks(deployment)],
      batchMax: prefetch,
      inFlightMax: prefetch,
      acknowledge: 'manual',
      reclaimIdleMs: Math.ceil(leaseSeconds * 1000),
      reclaimEveryMs: Math.ceil(leaseSeconds * 500),
      deliveriesMax,
      deadLetterLengthMax,
      handle: (batch) => this.intake.take(batch),
    });
  }

  /** Ends steps that are no longer this session's. */
  apply({ session, drop, reason }: ControlMessage): void {
    if (session !== null && session !== this.heartbeat.session) return;
    for (const [runId, stepNo, dispatchNo] of drop) {
      const step = this.held.find(runId, stepNo);
      if (step?.task.dispatchNo !== dispatchNo) continue;
      this.around.log.info({ runId, stepNo, dispatchNo, reason }, 'A step is ended: it is no longer to be run here.');
      this.lanes.drop(step, 'lost');
    }
  }

  /** Reads no more, lets running steps end within `graceMs`, hands everything else back, and leaves. */
  async drain(graceMs: number): Promise<void> {
    this.draining = true;
    await this.consumer?.setStreams([]);
    // failpoint p20: no more tasks are read, and nothing has been handed back
    await this.handBack(this.lanes.unstarted());
    await this.lanes.empty(graceMs);
    for (const step of this.lanes.started()) this.lanes.drop(step, 'returned');
    await this.lanes.empty(farewellMs);
    await this.leave();
  }

  /** Ends everything without handing it back: what it holds belongs to an epoch that is over. */
  async abandon(): Promise<void> {
    this.heartbeat.stop();
    await this.consumer?.setStreams([]);
    for (const step of [...this.lanes.started(), ...this.held.all()]) this.lanes.drop(step, 'lost');
    await this.lanes.empty(this.settings.cancelGraceSeconds * 1000 + farewellMs);
    this.reports.close();
    await this.logs.close(0);
    await this.consumer?.stop({ graceMs: 0 });
  }

  private async leave(): Promise<void> {
    const late = setTimeout(() => this.reports.close(), farewellMs);
    await this.reports.idle();
    clearTimeout(late);
    await this.logs.close(farewellMs);
    await this.heartbeat.leave();
    await this.consumer?.stop({ graceMs: 0 });
  }

  private accept(task: TaskMessage, delivery: Delivery, replaces: boolean): void {
    // Read before the drain, its marks answered after: whoever began it now would be ended with the process.
    if (this.draining) return void this.consumer?.giveBack([delivery]);
    const older = replaces ? this.held.find(task.runId, task.stepNo) : undefined;
    if (older) this.lanes.drop(older, 'lost');
    const step = new HeldStep(task, delivery);
    this.held.add(step);
    this.lanes.add(step);
  }

  private skip(delivery: Delivery, why: string): void {
    this.around.metrics.taskSkipped(why);
    this.reports.push({ body: null, settles: delivery });
  }

  private refuse(delivery: Delivery, reason: string): void {
    this.around.metrics.taskSkipped('malformed');
    this.around.log.warn({ id: delivery.id, deliveries: delivery.deliveries, reason }, 'A task cannot be read.');
    this.consumer?.bury(delivery, reason);
  }

  /** Reports the start of a step before it begins; resolves when that has arrived. */
  private announce(step: HeldStep): Promise<void> {
    return new Promise((done) => this.reports.push({ body: this.startOf(step), settles: null, done }));
  }

  private startOf(step: HeldStep): string {
    return JSON.stringify(startedReport(step.task, this.heartbeat.session));
  }

  private reportStart(step: HeldStep): void {
    if (step.dropped) return;
    this.reports.push({ body: this.startOf(step), settles: null });
    // failpoint p15: the step runs, and the report of its start is on its way
  }

  private end(step: HeldStep, end: SupervisedEnd): void {
    this.closeLog(step);
    this.around.metrics.stepEnded(end.end.outcome);
    if (step.dropped === 'returned') return void this.handBack([step]);
    const report = endedReport(step.task, this.heartbeat.session, end);
    const body = report && JSON.stringify(report);
    // failpoint p17: the step has had its effect, and nobody has been told
    this.reports.push({ body, settles: step.delivery, done: () => this.settled(step) });
  }

  private settled(step: HeldStep): void {
    // failpoint p18: the report is in its stream and the task acknowledged, and the step counts as held
    this.held.remove(step);
  }

  private async handBack(steps: readonly HeldStep[]): Promise<void> {
    for (const step of steps) this.held.remove(step);
    await this.consumer?.giveBack(steps.map(({ delivery }) => delivery));
  }

  /** What has ended is still reported: its token tells whether it came in time. */
  private loseLease(): void {
    const steps = this.held.all().filter(({ phase }) => phase !== 'ended');
    this.around.metrics.leaseLost();
    this.around.log.warn({ steps: steps.length }, 'The lease ran out before a heartbeat could be sent: the steps held here are ended.');
    for (const step of steps) this.lanes.drop(step, 'lost');
  }

  private logOf(step: HeldStep): StepLog {
    const known = this.logsOf.get(step);
    if (known) return known;
    const { runId, stepNo, attempt, dispatchNo } = step.task;
    const fresh = new StepLog({ runId, stepNo, attempt, dispatchNo }, this.logs, redactText, (why, lines) =>
      this.around.metrics.logLinesDropped(why, lines),
    );
    this.logsOf.set(step, fresh);
    return fresh;
  }

  private closeLog(step: HeldStep): void {
    this.logsOf.get(step)?.close(Date.now());
    this.logsOf.delete(step);
  }
}
