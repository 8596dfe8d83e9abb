export { STREAM_LIMITS } from './stream-transport.ts';
export type {
  ConsumeOptions,
  DeadLetter,
  Delivery,
  StreamConsumer,
  StreamDepth,
  StreamEntry,
  StreamLimits,
  StreamTransport,
  TransportHealth,
} from './stream-transport.ts';
export { BackPressureError, BatchFailure, BodyTooLargeError, HandlerUnavailable, TransportError, UnreachableError } from './transport-error.ts';
export type { OnTransportEvent, TransportEvent } from './transport-event.ts';
export { RedisStreamTransport } from './redis/redis-stream-transport.ts';
export type { RedisStreamOptions } from './redis/redis-options.ts';
