import { Controller, Inject, UseFilters } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { LogMessage, streams } from '#contracts';
import { HotConnection, writeLogs, type LogRow } from '#store';
import { BatchFailure, HandlerUnavailable, STREAMS, StreamsFilter, type Delivery, type StreamBatch } from '#transport';
import { isOutage } from '../advance/outage.ts';
import { DeploymentDirectory } from '../deployments/deployment-directory.ts';
import { KEEPING } from '../tokens.ts';

/** Writes what steps logged. Lines of a run that is not the deployment's own are left out by the statement. */
@Controller()
@UseFilters(StreamsFilter)
export class LogController {
  constructor(
    @Inject(KEEPING) private readonly connection: HotConnection,
    private readonly deployments: DeploymentDirectory,
  ) {}

  @EventPattern<string>('logs', STREAMS)
  async write(@Payload() { deliveries }: StreamBatch): Promise<void> {
    const malformed = new Map<Delivery, string>();
    for (const [stream, ofStream] of Map.groupBy(deliveries, (delivery) => delivery.stream)) {
      const deploymentId = this.deployments.idOf(stream.slice(streams.logs('').length));
      const rows = ofStream.flatMap((delivery) => rowsOf(delivery) ?? this.refuse(malformed, delivery));
      if (deploymentId && rows.length > 0) await this.store(deploymentId, rows);
    }
    if (malformed.size > 0) throw new BatchFailure(malformed, new Set(malformed.keys()));
  }

  private refuse(malformed: Map<Delivery, string>, delivery: Delivery): LogRow[] {
    malformed.set(delivery, 'The message is no batch of log lines.');
    return [];
  }

  private async store(deploymentId: string, rows: readonly LogRow[]): Promise<void> {
    try {
      await writeLogs(this.connection, deploymentId, rows);
    } catch (error) {
      if (!isOutage(error)) throw error;
      throw new HandlerUnavailable('The database cannot be reached; the log lines wait.', error);
    }
  }
}

function rowsOf({ body }: Delivery): LogRow[] | null {
  try {
    const message = LogMessage.safeParse(JSON.parse(body)).data;
    if (!message) return null;
    const { runId, stepNo, attempt, dispatchNo, lines } = message;
    // PostgreSQL's text has no NUL character.
    return lines.map((line) => ({ runId, stepNo, attempt, dispatchNo, ...line, text: line.text.replaceAll('\u0000', '\u2400') }));
  } catch {
    return null;
  }
}
