import { Controller } from '@nestjs/common';
import { EventPattern, MessagePattern, Transport } from '@nestjs/microservices';
import { channels } from '#contracts';
import { LeaderLoop } from '../leader/leader-loop.ts';
import { WakeSignal } from '../leader/wake-signal.ts';

/** What may be lost: wake-ups, and questions that can be asked again. */
@Controller()
export class StatusController {
  constructor(
    private readonly bell: WakeSignal,
    private readonly leader: LeaderLoop,
  ) {}

  @EventPattern<string>(channels.runsSubmitted, Transport.REDIS)
  wake(): void {
    this.bell.ring();
  }

  /** Every scheduler answers; the one that asks takes the first answer. */
  @MessagePattern<string>(channels.schedulerStatus, Transport.REDIS)
  status(): { leader: boolean; silentMs: number } {
    return { leader: this.leader.isLeader, silentMs: Math.round(this.leader.silentMs) };
  }
}
