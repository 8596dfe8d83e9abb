import { Controller, Inject, type Type } from '@nestjs/common';
import { EventPattern, Payload, Transport } from '@nestjs/microservices';
import { channels, ControlMessage } from '#contracts';
import { WorkerService } from '../worker.service.ts';

/** Hears what the scheduler says to a deployment's workers. It may be lost or doubled: heartbeats and cancel marks make up for that. */
export function controlController(deployment: string): Type {
  @Controller()
  class ControlController {
    constructor(@Inject(WorkerService) private readonly worker: WorkerService) {}

    @EventPattern(channels.control(deployment), Transport.REDIS)
    apply(@Payload() body: unknown): void {
      const message = ControlMessage.safeParse(body);
      if (message.success) this.worker.apply(message.data);
    }
  }
  return ControlController;
}
