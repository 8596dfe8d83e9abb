import type { TaskMessage } from '#contracts';
import type { Delivery, StreamTransport } from '#transport';
import { endedReport } from '../../../services/worker/src/reports/report-of.ts';
import { ReportQueue } from '../../../services/worker/src/reports/report-queue.ts';
import { HeldStep, HeldSteps } from '../../../services/worker/src/steps/held-step.ts';
import { TaskIntake } from '../../../services/worker/src/steps/task-intake.ts';

/** A worker without clocks: the worker's own intake, holding and reporting; when it takes, ends and beats is chosen from outside. */
export class ScopeWorker {
  readonly held = new HeldSteps();
  /** It beats no more, but goes on: what others believe dead. */
  isStalled = false;
  private readonly reports: ReportQueue;
  private readonly intake: TaskIntake;
  private taking = false;

  constructor(
    readonly session: string,
    deployment: string,
    epoch: number,
    transport: StreamTransport,
  ) {
    this.reports = new ReportQueue(transport, deployment, { sent: () => undefined, failed: () => undefined });
    this.intake = new TaskIntake(
      transport,
      this.held,
      { deployment, epoch, hasEffect: () => true },
      {
        accepted: (task, delivery) => this.accept(task, delivery),
        skipped: (delivery) => this.reports.push({ body: null, settles: delivery }),
        refused: () => undefined,
      },
    );
  }

  /** It has nothing in hand and nothing to say. */
  get isIdle(): boolean {
    return !this.taking && this.held.size === 0 && this.reports.length === 0;
  }

  get isTaking(): boolean {
    return this.taking;
  }

  get ready(): HeldStep[] {
    return this.held.all().filter(({ phase, dropped }) => phase === 'running' && !dropped);
  }

  async take(batch: readonly Delivery[]): Promise<void> {
    this.taking = true;
    await this.intake.take(batch).catch(() => undefined);
    this.taking = false;
  }

  /** The step ends well. */
  finish(step: HeldStep): void {
    step.phase = 'ended';
    const report = endedReport(step.task, this.session, {
      end: { outcome: 'succeeded', output: { by: this.session.slice(0, 4) } },
      ranMs: 1,
    });
    this.reports.push({ body: JSON.stringify(report), settles: step.delivery, done: () => this.held.remove(step) });
  }

  /** It is told that a step is no longer its own. */
  drop(runId: string, stepNo: number, dispatchNo: number): void {
    const step = this.held.find(runId, stepNo);
    if (step?.task.dispatchNo !== dispatchNo || step.phase === 'ended') return;
    step.dropped = 'lost';
    step.phase = 'ended';
    this.reports.push({ body: null, settles: step.delivery, done: () => this.held.remove(step) });
  }

  private accept(task: TaskMessage, delivery: Delivery): void {
    const older = this.held.find(task.runId, task.stepNo);
    if (older) this.drop(task.runId, task.stepNo, older.task.dispatchNo);
    const step = new HeldStep(task, delivery);
    step.phase = 'running';
    this.held.add(step);
  }
}
