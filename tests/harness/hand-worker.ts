import { randomUUID } from 'node:crypto';
import { groups, redisKey, streams, TaskMessage, type ReportMessage } from '#contracts';
import { eventually } from '#testing';
import { RedisStreamTransport, type DeadLetter, type Delivery } from '#transport';

interface Taken {
  readonly task: TaskMessage;
  readonly delivery: Delivery;
}

/** A worker made by hand: it takes tasks from the stream of its deployment, runs nothing, and reports what the test tells it to. */
export class HandWorker {
  readonly session = randomUUID();
  /** Every task that came, in the order of arrival. */
  readonly tasks: TaskMessage[] = [];
  private readonly taken: Taken[] = [];
  private readonly transport: RedisStreamTransport;

  constructor(
    redisUrl: string,
    readonly deployment: string,
  ) {
    this.transport = new RedisStreamTransport({ url: redisUrl, connectionName: 'hand worker', keyOf: (name) => redisKey(1, name) });
    this.transport.consume({
      group: groups.workers,
      consumer: `hand:${this.session}`,
      streams: [streams.tasks(deployment)],
      batchMax: 500,
      inFlightMax: 4_000,
      blockMs: 200,
      reclaimIdleMs: 60_000,
      reclaimEveryMs: 60_000,
      deliveriesMax: 5,
      deadLetterLengthMax: 10,
      acknowledge: 'manual',
      handle: async (batch) => {
        for (const delivery of batch) this.take(delivery);
        await Promise.resolve();
      },
    });
  }

  /** The task of a run's step, as soon as it is there. */
  async task(runId: string, step: string, dispatchNo = 1): Promise<TaskMessage> {
    const isIt = (task: TaskMessage) => task.runId === runId && task.step === step && task.dispatchNo === dispatchNo;
    return await eventually(() => this.tasks.find(isIt), { within: 20_000, what: `dispatch ${dispatchNo} of ${step}` });
  }

  started(task: TaskMessage): ReportMessage {
    return { v: 1, kind: 'started', ...this.headOf(task) };
  }

  succeeded(task: TaskMessage, output: string | number = 'done'): ReportMessage {
    return { v: 1, kind: 'ended', ...this.headOf(task), ranMs: 1, outcome: 'succeeded', output };
  }

  failed(task: TaskMessage, retryable = false): ReportMessage {
    const error = { code: 'test.failed', message: 'The test said so.', retryable };
    return { v: 1, kind: 'ended', ...this.headOf(task), ranMs: 1, outcome: 'failed', error };
  }

  /**
   * Adds all of them in one transaction of Redis, together with the acknowledgement of the tasks they are about: a scheduler that waits
   * is served after it, so that it reads them as one batch. Those in a list travel in one entry; a text goes as it is. `elsewhere`: into the
   * stream of another deployment.
   */
  async report(reports: readonly (ReportMessage | readonly ReportMessage[] | string)[], elsewhere = this.deployment): Promise<void> {
    const stream = streams.reports(elsewhere);
    const about = new Set(reports.flat().map((report) => (typeof report === 'string' ? '' : `${report.runId} ${report.stepNo}`)));
    const acks = this.taken.filter(({ task }) => about.has(`${task.runId} ${task.stepNo}`)).map(({ delivery }) => delivery);
    const entries = reports.map((report) => ({ stream, body: typeof report === 'string' ? report : JSON.stringify(report) }));
    if (elsewhere === this.deployment && acks.length > 0) await this.transport.addThenAck(entries, acks, groups.workers);
    else await this.transport.add(entries);
  }

  /** Waits until the schedulers have settled every report of the deployment. */
  async settled(deployment = this.deployment): Promise<void> {
    const isEmpty = async () => (await this.transport.depth(streams.reports(deployment), groups.schedulers)).length === 0;
    await eventually(isEmpty, { within: 20_000, what: 'no report to be left' });
  }

  deadLetters(deployment = this.deployment): Promise<readonly DeadLetter[]> {
    return this.transport.deadLetters(streams.reports(deployment), { count: 100 });
  }

  async replay(letter: string): Promise<void> {
    await this.transport.replayDeadLetters(streams.reports(this.deployment), [letter]);
  }

  close(): Promise<void> {
    return this.transport.close();
  }

  private take(delivery: Delivery): void {
    const task = TaskMessage.parse(JSON.parse(delivery.body));
    this.taken.push({ task, delivery });
    this.tasks.push(task);
  }

  private headOf({ runId, stepNo, epoch, dispatchNo }: TaskMessage) {
    return { id: randomUUID(), runId, stepNo, epoch, dispatchNo, session: this.session };
  }
}
