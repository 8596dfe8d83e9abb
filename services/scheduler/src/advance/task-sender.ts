import { cancelMark, channels, streams, type ControlMessage, type TaskMessage } from '#contracts';
import type { Logger } from '#telemetry';
import { BackPressureError, type StreamTransport } from '#transport';
import type { DeploymentDirectory } from '../deployments/deployment-directory.ts';
import type { MadeDecision } from './decision-maker.ts';
import type { EventsClient } from '../events-client.ts';

/** How long a worker can learn from a mark that a dispatch is void. */
const MARK_MS = 3_600_000;

/**
 * Hands committed dispatches to the deployments' streams, and tells workers what to drop. Nothing here decides anything: a message that is
 * lost is sent again by the sweep, because the row says DISPATCHED.
 */
export class TaskSender {
  constructor(
    private readonly transport: StreamTransport,
    private readonly events: EventsClient,
    private readonly deployments: DeploymentDirectory,
    private readonly epoch: number,
    private readonly logger: Logger,
  ) {}

  async send(made: readonly MadeDecision[]): Promise<void> {
    const tasks = await Promise.all(made.filter(({ decision }) => decision.dispatches.length > 0).map((one) => this.tasksOf(one)));
    const entries = tasks.flat();
    if (entries.length > 0) await this.add(entries);
    await Promise.all(made.filter(({ decision }) => decision.dropped.length > 0).map((one) => this.drop(one)));
  }

  private async add(entries: readonly { stream: string; body: string }[]): Promise<void> {
    // failpoint p5: the dispatches are committed, and no task has been sent
    // Without a server to talk to, waiting for each call's timeout would hold up what needs none: admission, timers.
    if (!this.transport.health.connected) this.noteUnsent(entries.length, new Error('not connected'));
    else await this.transport.add(entries).catch((error: unknown) => this.noteUnsent(entries.length, error));
    // failpoint p6: the tasks are in their streams, and nobody knows that they were sent
  }

  private async tasksOf({ run, decision }: MadeDecision): Promise<{ stream: string; body: string }[]> {
    const stream = streams.tasks(await this.deployments.nameOf(run.head.deploymentId));
    return decision.dispatches.map(({ no, dispatchNo, attempt, input }) => {
      const { name, uses, timeoutSeconds } = run.planStep(no);
      const task: TaskMessage = {
        v: 1,
        runId: run.head.id,
        stepNo: no,
        epoch: this.epoch,
        dispatchNo,
        step: name,
        uses,
        // The wire's JSON type is mutable, the core's is not; the value is only written out.
        input: input as TaskMessage['input'],
        attempt,
        timeoutSeconds,
        idempotencyKey: `${run.head.id}:${no}`,
        workflow: run.workflow,
        workflowVersion: run.head.workflowVersion,
        environment: run.head.environment,
        team: run.head.team,
      };
      return { stream, body: JSON.stringify(task) };
    });
  }

  private async drop({ run, decision }: MadeDecision): Promise<void> {
    const deployment = await this.deployments.nameOf(run.head.deploymentId);
    const cancelled = decision.live === null;
    const drop = decision.dropped.map(({ no, dispatchNo }): [string, number, number] => [run.head.id, no, dispatchNo]);
    const message: ControlMessage = { v: 1, session: null, drop, reason: cancelled ? 'cancelled' : 'stale' };
    this.events.emit(channels.control(deployment), message).subscribe({ error: () => {} });
    if (!this.transport.health.connected) return;
    // Dispatches up to this number are void: what a worker reads before it starts a step.
    const marked = drop.map(([runId, stepNo, dispatchNo]) =>
      this.transport.mark(cancelMark(deployment, runId, stepNo), String(dispatchNo), MARK_MS),
    );
    await Promise.all(marked).catch((error: unknown) => this.noteUnsent(drop.length, error));
  }

  private noteUnsent(count: number, error: unknown): void {
    const fullStreams = error instanceof BackPressureError ? error.streams : undefined;
    this.logger.warn({ err: error, count, fullStreams }, 'messages to workers were not sent; the sweep sends the tasks again');
  }
}
