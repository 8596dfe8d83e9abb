import { Controller } from '@nestjs/common';
import { EventPattern, Payload, Transport } from '@nestjs/microservices';
import { RunsChanged, channels } from '#contracts';
import { RunChanges } from './run-changes.ts';

/** Hears from schedulers and other replicas which runs have changed. */
@Controller()
export class RunChangesController {
  constructor(private readonly changes: RunChanges) {}

  @EventPattern(channels.runsChanged, Transport.REDIS)
  changed(@Payload() message: unknown): void {
    const parsed = RunsChanged.safeParse(message);
    if (parsed.success) this.changes.changed(parsed.data.runs);
  }
}
