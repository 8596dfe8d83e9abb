import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { ControlMessage, groups, HeartbeatMessage, LogMessage, redisKey, ReportMessage, streams, type TaskMessage } from '#contracts';
import { createLogger, createMetrics } from '#telemetry';
import { eventually } from '#testing';
import { InProcessStreamTransport, RedisStreamTransport, StreamBroker, type StreamConsumer, type StreamTransport } from '#transport';
import type { WorkerConfig } from '../config.ts';
import { WorkerService } from '../worker.service.ts';

export const handlersModule = fileURLToPath(new URL('handlers.ts', import.meta.url));

/** Opens a way to the streams; each call is another client of the same server. */
export type Open = (epoch: number) => StreamTransport;

export function inProcess(): Open {
  const broker = new StreamBroker();
  return () => new InProcessStreamTransport(broker);
}

export function overRedis(url: string): Open {
  return (epoch) => new RedisStreamTransport({ url, keyOf: (name) => redisKey(epoch, name) });
}

/** A worker, and the scheduler's side of its streams. */
export class WorkerUnderTest {
  readonly deployment = `test-${randomUUID()}`;
  readonly reports: ReportMessage[] = [];
  readonly heartbeats: HeartbeatMessage[] = [];
  readonly logs: LogMessage[] = [];
  readonly metrics = createMetrics('worker');
  readonly scheduler: StreamTransport;
  worker: WorkerService | undefined;
  epoch: number | null = 1;
  private readonly consumers: StreamConsumer[] = [];

  constructor(readonly open: Open) {
    this.scheduler = open(1);
  }

  /** `tamper` changes the worker's own transport, for faults. */
  async start(
    change: Partial<WorkerConfig> = {},
    tamper: (transport: StreamTransport) => StreamTransport = (transport) => transport,
  ): Promise<WorkerService> {
    const config: WorkerConfig = {
      deployment: this.deployment,
      worker: 'test',
      concurrency: 2,
      prefetch: 8,
      handlers: [handlersModule],
      handlersFolder: process.cwd(),
      heartbeatSeconds: 0.1,
      leaseSeconds: 1,
      cancelGraceSeconds: 0.3,
      drainSeconds: 5,
      privateAddresses: 'allow',
      ...change,
    };
    if (this.consumers.length === 0) this.listen();
    this.worker = new WorkerService({
      config,
      openTransport: (epoch) => tamper(this.open(epoch)),
      epochs: { current: async () => this.epoch, close: async () => undefined },
      metrics: this.metrics,
      logger: await createLogger({ service: 'worker', level: 'silent' }),
    });
    await this.worker.onApplicationBootstrap();
    await eventually(() => this.heartbeats.length > 0);
    return this.worker;
  }

  /** Takes what the worker says. Part of `start`; called alone where the worker is a process of its own. */
  listen(): void {
    this.hear(streams.reports(this.deployment), (body) => this.reports.push(...[body].flat().map((one) => ReportMessage.parse(one))));
    this.hear(streams.heartbeats(this.deployment), (body) => this.heartbeats.push(HeartbeatMessage.parse(body)));
    this.hear(streams.logs(this.deployment), (body) => this.logs.push(LogMessage.parse(body)));
  }

  async stop(): Promise<void> {
    await this.worker?.beforeApplicationShutdown();
    await Promise.all(this.consumers.map((consumer) => consumer.stop({ graceMs: 0 })));
    await this.scheduler.close();
  }

  async send(...tasks: (TaskMessage | string)[]): Promise<void> {
    const stream = streams.tasks(this.deployment);
    await this.scheduler.add(tasks.map((task) => ({ stream, body: typeof task === 'string' ? task : JSON.stringify(task) })));
  }

  /** The step's end report, as soon as it is there. */
  async endOf({ runId, stepNo, dispatchNo }: TaskMessage, within = 10_000): Promise<Extract<ReportMessage, { kind: 'ended' }>> {
    return await eventually(
      () => {
        const found = this.reports.find(
          (report) => report.kind === 'ended' && report.runId === runId && report.stepNo === stepNo && report.dispatchNo === dispatchNo,
        );
        return found?.kind === 'ended' && found;
      },
      { within, what: 'the end report' },
    );
  }

  reportsOf({ runId }: TaskMessage): ReportMessage[] {
    return this.reports.filter((report) => report.runId === runId);
  }

  linesOf({ runId }: TaskMessage): LogMessage['lines'] {
    return this.logs.filter((message) => message.runId === runId).flatMap(({ lines }) => lines);
  }

  /** Waits until the step runs, which its log tells. */
  async running(task: TaskMessage): Promise<void> {
    await eventually(() => this.reportsOf(task).some(({ kind }) => kind === 'started'), { within: 10_000, what: 'the start report' });
  }

  /** Resolves when the worker holds nothing and no task is unsettled. */
  async settled(within = 10_000): Promise<void> {
    const stream = streams.tasks(this.deployment);
    await eventually(async () => (await this.scheduler.depth(stream, groups.workers)).length === 0, { within, what: 'no unsettled task' });
  }

  control(reason: ControlMessage['reason'], ...tasks: TaskMessage[]): void {
    this.worker?.apply({ v: 1, session: null, drop: tasks.map(({ runId, stepNo, dispatchNo }) => [runId, stepNo, dispatchNo]), reason });
  }

  async metric(line: string): Promise<number> {
    const found = (await this.metrics.text())
      .split('\n')
      .find((text) => text.startsWith(line.split('{')[0] ?? '') && labelsOf(line).every((label) => text.includes(label)));
    return Number(found?.split(' ').at(-1) ?? 0);
  }

  private hear(stream: string, take: (body: unknown) => void): void {
    this.consumers.push(
      this.scheduler.consume({
        group: groups.schedulers,
        consumer: 'test',
        streams: [stream],
        batchMax: 500,
        inFlightMax: 500,
        blockMs: 100,
        reclaimIdleMs: 60_000,
        reclaimEveryMs: 60_000,
        deliveriesMax: 1,
        deadLetterLengthMax: 10,
        acknowledge: 'auto',
        handle: async (batch) => {
          for (const { body } of batch) take(JSON.parse(body));
          await Promise.resolve();
        },
      }),
    );
  }
}

function labelsOf(line: string): string[] {
  return /\{(.*)\}/.exec(line)?.[1]?.split(',') ?? [];
}
