import type { ReadinessCheck } from '#telemetry';

/** A way to Redis that notices when nobody answers. */
export interface RedisWay {
  readonly isAlive: boolean;
}

/** The api accepts runs without Redis: it is only slower to wake others, and to be woken, hence degraded and never down. */
export function redisCheck(...ways: readonly RedisWay[]): ReadinessCheck {
  return () =>
    Promise.resolve(
      ways.every((way) => way.isAlive)
        ? { status: 'ok' }
        : { status: 'degraded', detail: 'Redis cannot be reached: runs are accepted, wake-ups and live events come late.' },
    );
}
