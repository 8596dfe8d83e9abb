import { Controller, UseFilters } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { STREAMS, StreamsFilter, type StreamBatch } from '#transport';
import { ReportService } from './report.service.ts';

@Controller()
@UseFilters(StreamsFilter)
export class ReportController {
  constructor(private readonly reports: ReportService) {}

  @EventPattern<string>('reports', STREAMS)
  apply(@Payload() batch: StreamBatch): Promise<void> {
    return this.reports.apply(batch.deliveries);
  }
}
