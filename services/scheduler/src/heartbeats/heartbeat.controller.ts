import { Controller, UseFilters } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { STREAMS, StreamsFilter, type StreamBatch } from '#transport';
import { HeartbeatService } from './heartbeat.service.ts';

@Controller()
@UseFilters(StreamsFilter)
export class HeartbeatController {
  constructor(private readonly heartbeats: HeartbeatService) {}

  @EventPattern<string>('heartbeats', STREAMS)
  take(@Payload() batch: StreamBatch): Promise<void> {
    return this.heartbeats.take(batch.deliveries);
  }
}
