import type { ClientProxy } from '@nestjs/microservices';
import type { ReadinessCheck } from '#telemetry';

/** The api accepts runs without Redis: it is only slower to wake others, hence degraded and never down. */
export function redisCheck(events: Pick<ClientProxy, 'connect'>): ReadinessCheck {
  return async () => {
    try {
      await events.connect();
      return { status: 'ok' };
    } catch {
      return { status: 'degraded', detail: 'Redis cannot be reached: runs are accepted, wake-ups and live events come late.' };
    }
  };
}
